#!/usr/bin/env python3
"""Runs cases, and compares what portwitness says of each with what is right.

    case_runner.py CASE...        the path of a folder with an expected.json, or of a .json file; a form or
                                  a choice of languages behind a colon: number-by-file:by-words
    case_runner.py --all FOLDER   each case in that folder
    case_runner.py --list FOLDER  their names, one a line, with their forms
    case_runner.py --causes FOLDER...  each cause that they are about, and the languages that take part in it
    case_runner.py --few CASE...  the first two choices of languages alone

PORTWITNESS names the program. Prints nothing but the name of a case that is right, and what differs of one
that is not; ends with 1 then, and with 2 where a situation did not come about, which is no answer at all.
tests/guests/cases/README.md has the keys of expected.json."""

import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get('BUILD', 'build'))
PORTWITNESS = os.path.abspath(os.environ.get('PORTWITNESS', os.path.join(BUILD, 'portwitness')))
VERBS = os.path.join(ROOT, 'tests', 'guests', 'verbs')
DID_NOT_HAPPEN = 99  # the status of a case whose situation did not come about
LIMIT = 60  # seconds for one command; only a hang takes so long
KEYS = {'about', 'command', 'steps', 'languages', 'forms', 'range', 'policy', 'environment', 'before',
        'command_status', 'findings', 'also_allowed', 'no_kinds', 'verdict', 'cause'}
SERIOUS = ('error', 'hazard')


class DidNotHappen(Exception):
    """The situation did not come about."""


def read_case(path):
    """The case in a folder or a .json file, and the folder with its programs, or None."""
    folder = None if path.endswith('.json') else path
    with open(os.path.join(folder, 'expected.json') if folder else path, encoding='utf-8') as text:
        case = json.load(text)
    unknown = [key for form in [case, *forms_of(case).values()] for key in form if key not in KEYS]
    if unknown:
        sys.exit(f'{path}: unknown keys: {", ".join(unknown)}')
    return case, folder


def forms_of(case):
    """The forms of a case by name: what each changes. A choice of languages is a form, too."""
    if isinstance(case.get('languages'), list):
        return {'+'.join(choice.values()): {'languages': choice} for choice in case['languages']}
    return case.get('forms', {'': {}})


def paths_in(folder):
    """The cases in a folder, sorted."""
    entries = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    return [path for path in entries
            if path.endswith('.json') or os.path.exists(os.path.join(path, 'expected.json'))]


def in_namespace(case, command):
    """The command in a network namespace of its own, with the case's range of local ports."""
    low, high = case.get('range', ('', ''))
    script = ('ip link set lo up; [ -z "$1" ] || echo "$1 $2" >/proc/sys/net/ipv4/ip_local_port_range;'
              'shift 2; exec "$@"')
    become = [] if os.geteuid() == 0 else ['-r']
    return ['unshare', *become, '-n', 'sh', '-c', script, 'sh', str(low), str(high), *command]


def write_json(what, place, name):
    with open(os.path.join(place, name), 'w', encoding='utf-8') as text:
        json.dump(what, text)


def conduct(steps, case, place, name, *options):
    """The command that has programs take the steps."""
    write_json({'steps': steps, 'languages': case['languages']}, place, name)
    return ['/usr/bin/python3', 'conductor.py', name, *options]


def prepare(case, folder, place):
    """Copies the programs into the place, and returns the command, and that of "before" or None."""
    if 'steps' not in case:
        shutil.copytree(folder, place, dirs_exist_ok=True)
        return case['command'], case.get('before')
    shutil.copytree(VERBS, place, dirs_exist_ok=True)
    shutil.copy(os.path.join(BUILD, 'tests', 'guests', 'verbs', 'verbs'), place)
    before = case.get('before')
    return (conduct(case['steps'], case, place, 'steps.json'),
            before and conduct(before, case, place, 'before.json', '--hold'))


def record(case, command, before, place, output):
    """Runs the command recorded, beside "before" where there is something, and returns its status."""
    policy = ['--policy', case['policy']] if 'policy' in case else []
    recorded = [PORTWITNESS, 'run', '--quiet', *policy, '-o', 't.trace', '--', *command]
    if before:
        recorded = ['/usr/bin/python3', os.path.abspath(__file__), '--beside', json.dumps(before), *recorded]
    environment = {**os.environ, **case.get('environment', {}), 'PYTHONDONTWRITEBYTECODE': '1'}
    environment['PATH'] = '/usr/bin:' + environment['PATH']  # a python3 found first may be a script
    with subprocess.Popen(in_namespace(case, recorded), cwd=place, env=environment, start_new_session=True,
                          stdin=subprocess.DEVNULL, stdout=output, stderr=output) as child:
        try:
            return child.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            output.write(f'not over after {LIMIT} seconds\n')
            return DID_NOT_HAPPEN


def beside(before, command):
    """Runs the command beside another, unrecorded one, which says "ready" and ends when its input does."""
    with subprocess.Popen(before, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        if other.stdout.readline() != b'ready\n':
            return DID_NOT_HAPPEN
        return subprocess.run(command, check=False).returncode


def check(place):
    """What check says of the trace."""
    answer = subprocess.run([PORTWITNESS, 'check', '--json', 't.trace'], cwd=place, timeout=LIMIT,
                            capture_output=True, text=True, check=False)
    if answer.returncode not in (0, 1):
        raise SystemExit(f'check ended with {answer.returncode}: {answer.stderr}')
    return json.loads(answer.stdout)


def agents_of(place):
    """The process ids of the programs that obey verbs, by name."""
    try:
        with open(os.path.join(place, 'agents.json'), encoding='utf-8') as text:
            return json.load(text)
    except FileNotFoundError:
        return {}


def differs(wanted, found, agents, where):
    """How what was found differs from what is wanted: a list of texts."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return [f'{where} is {json.dumps(found)}, not an object with {", ".join(wanted)}']
        return [text for key, value in wanted.items()
                for text in differs_in(key, value, found, agents, f'{where}.{key}' if where else key)]
    if found != wanted:
        return [f'{where} is {json.dumps(found)}, not {json.dumps(wanted)}']
    return []


def differs_in(key, wanted, found, agents, where):
    """The same of one key. Some keys are regular expressions, some are about another key."""
    if key == 'agent':
        return differs(agents.get(wanted), found.get('pid'), agents, f'{where} {wanted}: pid')
    if key in ('command', 'fix', 'test', 'detail', 'not_fix'):
        text = found.get('fix' if key == 'not_fix' else key)
        if text is None and key != 'not_fix':
            return [f'{where} is null, and should match {wanted!r}']
        if bool(re.search(wanted, text or '')) == (key == 'not_fix'):
            return [f'{where}: {text!r} {"matches" if key == "not_fix" else "does not match"} {wanted!r}']
        return []
    if isinstance(wanted, list) and found.get(key) in wanted:
        return []  # either is right
    return differs(wanted, found.get(key), agents, where)


def head(finding):
    """A finding in a line."""
    end = finding.get('endpoint') or {}
    subject = finding.get('subject') or {}
    return (f'{finding["kind"]} {finding["severity"]} {finding.get("cause")} '
            f'{"certain" if finding["certain"] else "possible"} '
            f'{end.get("protocol")} {end.get("address")}:{end.get("port")} by '
            f'{" ".join((subject.get("command") or "").split())}')


def matches(wanted, found, agents):
    return not differs(wanted, found, agents, '')


def compare_findings(case, found, agents):
    """Takes each finding that is wanted from what was found; what is serious must be allowed then."""
    wrong, rest = [], list(found)
    for wanted in case.get('findings', []):
        fitting = [one for one in rest if matches(wanted, one, agents)]
        if fitting:
            rest.remove(fitting[0])
            continue
        # The nearest is the one that differs least.
        nearest = sorted(((differs(wanted, one, agents, ''), one) for one in rest
                          if one['severity'] in SERIOUS or one['kind'] == wanted.get('kind')),
                         key=lambda pair: (pair[1]['kind'] != wanted.get('kind'), len(pair[0])))
        wrong.append(f'not found: {json.dumps(wanted)}')
        if nearest:
            rest.remove(nearest[0][1])  # said once
            wrong += [f'    nearest: {head(nearest[0][1])}', *(f'        {text}' for text in nearest[0][0])]
    for one in rest:
        allowed = any(matches(wanted, one, agents) for wanted in case.get('also_allowed', []))
        if one['severity'] in SERIOUS and not allowed:
            wrong.append(f'not expected: {head(one)}')
    return wrong


def compare(case, status, answer, agents):
    """All that differs, as lines."""
    wrong = []
    wrong += differs_in('command_status', case.get('command_status', 0), {'command_status': status}, agents,
                        'the status of the command')
    wrong += compare_findings(case, answer['findings'], agents)
    kinds = {one['kind'] for one in answer['findings']}
    wrong += [f'there is a finding of kind {kind}' for kind in case.get('no_kinds', []) if kind in kinds]
    if 'verdict' in case and answer['verdict'] != case['verdict']:
        wrong.append(f'the verdict is {answer["verdict"]}, not {case["verdict"]}')
    return wrong


def end_left(agents):
    """Ends the programs that a case left running on purpose; they wait for a line that never comes."""
    for pid in agents.values():
        try:
            with open(f'/proc/{pid}/cmdline', encoding='utf-8') as text:
                if 'verbs' in text.read():
                    os.kill(pid, 15)
        except (OSError, ProcessLookupError):
            pass


def run_form(name, case, folder):
    """Runs a case in one form; prints, and returns whether it is right."""
    place = tempfile.mkdtemp(prefix='case-')
    agents = {}
    try:
        command, before = prepare(case, folder, place)
        with open(os.path.join(place, 'output'), 'w+', encoding='utf-8') as output:
            status = record(case, command, before, place, output)
            output.seek(0)
            said = output.read()
        agents = agents_of(place)
        if status == DID_NOT_HAPPEN or not os.path.exists(os.path.join(place, 't.trace')):
            raise DidNotHappen(said)
        wrong = compare(case, status, check(place), agents)
    finally:
        end_left(agents)
        shutil.rmtree(place)
    print(f'{"wrong" if wrong else "right"}: {name}')
    if wrong:
        print(*(f'    {line}' for line in wrong), sep='\n')
    if wrong and said:
        print('    its output:', *(f'        {line}' for line in said.splitlines()[-12:]), sep='\n')
    return not wrong


def chosen(argument):
    """The forms that an argument asks for: (name, case) pairs, and their folder."""
    path, _, form = argument.partition(':')
    case, folder = read_case(path)
    forms = forms_of(case)
    if form and form not in forms:
        sys.exit(f'{path} has no form {form}; it has: {", ".join(forms)}')
    name = os.path.basename(path).removesuffix('.json')
    pairs = [(f'{name}:{key}' if key else name, {**case, **change})
             for key, change in forms.items() if form in ('', key)]
    return pairs, folder


def print_causes(folders):
    """Each cause in "cause" of a case, with all languages that its programs are run in."""
    languages = collections.defaultdict(set)
    for path in (path for folder in folders for path in paths_in(folder)):
        for _, case in chosen(path)[0]:
            if 'cause' in case:
                languages[case['cause']].update(case['languages'].values())
    for cause in sorted(languages):
        print(cause, *sorted(languages[cause]))
    return 0


def main(arguments):
    if arguments[:1] == ['--beside']:
        return beside(json.loads(arguments[1]), arguments[2:])
    if arguments[:1] == ['--list']:
        for path in paths_in(arguments[1]):
            print(*(name for name, _ in chosen(path)[0]), sep='\n')
        return 0
    if arguments[:1] == ['--causes']:
        return print_causes(arguments[1:])
    few = arguments[:1] == ['--few']
    arguments = arguments[few:]
    if arguments[:1] == ['--all']:
        arguments = paths_in(arguments[1])
    if not arguments or arguments[0].startswith('-'):
        print(__doc__, file=sys.stderr)
        return 2
    worst = 0
    for argument in arguments:
        pairs, folder = chosen(argument)
        for name, case in pairs[:2] if few else pairs:
            try:
                worst = max(worst, 0 if run_form(name, case, folder) else 1)
            except DidNotHappen as said:
                print(f'did not come about: {name}', *(f'        {line}' for line in str(said).splitlines()), sep='\n')
                worst = 2
    return worst


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
