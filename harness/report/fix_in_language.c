/* A fix is read by who writes Python or JavaScript, and never calls bind himself. */
#include "harness/report/fix_in_language.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/report/finding_sides.h"

enum language { LANGUAGE_PYTHON, LANGUAGE_NODE, LANGUAGE_JAVA, LANGUAGE_PERL, LANGUAGES };

/* What the names of the interpreters begin with. */
static const char *const programs[LANGUAGES] = {"python", "node", "java", "perl"};

static const char *const words[FIX_MEANS][LANGUAGES] = {
    [FIX_PORT_ZERO] = {"in Python: socket.create_server((host, 0)), then getsockname()[1]",
                       "in Node: server.listen(0), then server.address().port",
                       "in Java: new ServerSocket(0), then getLocalPort()",
                       "in Perl: LocalPort => 0, then sockport"},
    [FIX_REUSE_ADDRESS] =
        {"in Python: socket.create_server, or allow_reuse_address = True in a class of "
         "socketserver.TCPServer",
         NULL, "in Java: setReuseAddress(true) before bind", "in Perl: ReuseAddr => 1"},
    [FIX_CLOSE_ON_EXEC] =
        {"in Python: close_fds=True and no pass_fds in subprocess, or the start method spawn of "
         "multiprocessing",
         NULL, NULL, "in Perl: leave $^F at 2"},
    [FIX_V6_ONLY] =
        {"in Python: setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1), as socket.create_server does",
         "in Node: listen({ipv6Only: true, ...})", NULL, "in Perl: V6Only => 1"},
    [FIX_CLOSE] = {"in Python: with socket.create_server(...), or a fixture's teardown",
                   "in Node: server.close() in afterEach, or listen(0)",
                   "in Java: try (ServerSocket ...)", NULL},
};

/* Who is to be changed: as a rule who was refused the port; where a descriptor went on, who bound
 * it; of two families the one of IPv6. */
static const struct call *author_of(const struct finding *finding, enum fix_means means) {
    bool is_other_v6 = means == FIX_V6_ONLY && finding->subject.endpoint.family != AF_INET6;
    bool is_binder = (means == FIX_CLOSE_ON_EXEC || is_other_v6) && finding->other.process != 0;
    return is_binder ? &finding->other : &finding->subject;
}

/* Is that word, so many bytes of it, the name or path of an interpreter of the language? */
static bool is_interpreter(const char *word, size_t length, enum language language) {
    const char *name = word;
    for (size_t i = 0; i < length; i++)
        if (word[i] == '/')
            name = word + i + 1;
    size_t size = strlen(programs[language]);
    return length - (size_t)(name - word) >= size && strncmp(name, programs[language], size) == 0;
}

/* A script with an interpreter line has its own name, and the interpreter's before its command; a
 * program may have changed both, but not the file that calls. */
static bool is_in_language(const struct check *check, const struct call *call,
                           const struct process *process, enum language language) {
    const struct check_trace *trace = &check->traces[call->trace];
    const char *command = process_command(&trace->processes, process);
    const struct site site = side_module(check, call, call->site);
    return is_interpreter(process->comm, strlen(process->comm), language) ||
           (command != NULL && is_interpreter(command, strcspn(command, " "), language)) ||
           (site.module != NULL && is_interpreter(site.module, strlen(site.module), language));
}

const char *fix_in_language(const struct check *check, const struct finding *finding,
                            enum fix_means means) {
    const struct call *call = author_of(finding, means);
    const struct process *process =
        processes_find(&check->traces[call->trace].processes, call->process);
    for (size_t i = 0; process != NULL && i < LANGUAGES; i++)
        if (is_in_language(check, call, process, (enum language)i))
            return words[means][i];
    return NULL;
}
