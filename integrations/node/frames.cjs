'use strict';
/*
 * Loaded into recorded Node programs by the shim (shim/frames/node_start.c): tells it which lines
 * of JavaScript are behind a bind, a listen or a connect. Nothing public is changed but dns.lookup,
 * which looks as before. What Node's own code calls at the bottom is wrapped instead: the handles of
 * tcp_wrap and udp_wrap. Whatever is not as expected is left alone.
 */

const FRAMES_MAX = 16;
/* Sites: each costs some microseconds. The user's two are behind so many of Node's own, as a rule. */
const BEHIND_LOOKUP = 4, BEHIND_HANDLE = 7, DEEP = 64;
/* The functions of this file that a stack may begin with. */
const OWN = 3, OWN_DEEP = 5;
const LIBRARY = 1, FRAMEWORK = 2, DEPENDENCY = 3, USER = 4;
const RTLD_LAZY = 1, RTLD_NOLOAD = 4; /* dlopen(3) */
const NOTHING = { text: '', user: '' };

const Module = require('module');

/* As Node made them: the program may put others in their places, which are not for us to call. */
const { apply } = Reflect;
const { defineProperty } = Object;
const { isArray } = Array;

class Notes extends WeakMap {}
for (const key of ['get', 'has', 'set'])
  defineProperty(Notes.prototype, key, { value: WeakMap.prototype[key] });

/* The program shall not see this file among its own. */
function hide() {
  delete Module._cache[__filename];
  for (const key of Object.keys(Module._pathCache || {}))
    if (Module._pathCache[key] === __filename) delete Module._pathCache[key];
  const words = process.execArgv;
  for (let i = words.length - 1; i >= 0; i--)
    if (words[i] === `--require=${__filename}`) words.splice(i, 1);
    else if (words[i] === __filename && /^(-r|--require)$/.test(words[i - 1])) words.splice(i - 1, 2);
  const preloaded = Object.getOwnPropertyDescriptor(process, '_preload_modules');
  if (preloaded && preloaded.configurable && Array.isArray(preloaded.value))
    Object.defineProperty(process, '_preload_modules',
      { ...preloaded, value: preloaded.value.filter((name) => name !== __filename) });
}

/* The shim is loaded already, and puts NODE_OPTIONS back when it is asked for. */
function attach() {
  const module = { exports: {} };
  process.dlopen(module, require('path').join(__dirname, '..', 'libportwitness.so'),
    RTLD_LAZY | RTLD_NOLOAD);
  return module.exports;
}

const FRAMEWORKS = new RegExp('^(@?jest|@?vitest|mocha|@?tap|libtap|tapjs|ava|jasmine|tinypool' +
  '|uvu|tape)([-/]|$)');

function ownerOf(file) {
  if (file.startsWith('node:'))
    return /^node:(internal\/)?test(_runner|$|\/)/.test(file) ? FRAMEWORK : LIBRARY;
  const at = file.lastIndexOf('/node_modules/');
  if (at >= 0)
    return FRAMEWORKS.test(file.slice(at + 14)) ? FRAMEWORK : DEPENDENCY;
  const system = /^\/usr\/(?:share|lib)\/nodejs\/(.*)/.exec(file);
  if (system)
    return FRAMEWORKS.test(system[1]) ? FRAMEWORK : DEPENDENCY;
  return USER;
}

function pathOf(name) {
  if (!name.startsWith('file:')) return name;
  try {
    return require('url').fileURLToPath(name);
  } catch {
    return name;
  }
}

/* What a name comes to: few files are met again and again. */
const files = new Map();
function fileOf(name) {
  let known = files.get(name);
  if (known === undefined) {
    const path = pathOf(name);
    known = { name, path, of: ownerOf(path) };
    if (files.size >= 1000) files.clear();
    files.set(name, known);
  }
  return known;
}

/* An Error of a context of its own: the program's own settings of Error are neither used nor touched.
 * To change those for a moment would also take as long as a bind. */
const CAPTURE = `Error.prepareStackTrace = (error, sites) => sites;
(called, depth) => {
  const holder = {};
  Error.stackTraceLimit = depth;
  Error.captureStackTrace(holder, called);
  return holder.stack;
}`;
let capture;

/* The call sites above a function that is being called; none where it is not. */
function sitesAbove(called, depth) {
  if (capture === undefined) {
    const vm = require('vm');
    const context = vm.createContext({ __proto__: null }, { name: 'portwitness' });
    capture = vm.runInContext(CAPTURE, context, { filename: __filename });
  }
  const sites = capture(called, depth);
  return isArray(sites) ? sites : [];
}

/* Jest, Vitest, ts-node and others compile a file while they load it, run it under its own name, and set a
 * function that puts the lines in stacks right; Babel puts one of its own around that. Any other such function
 * is left alone. */
const mappers = new Notes();

function isMapper(prepare) {
  if (typeof prepare !== 'function') return false;
  if (!mappers.has(prepare)) {
    const source = Function.prototype.toString.call(prepare);
    mappers.set(prepare, /wrapCallSite|source_?map|stackTraceRewriter/i.test(source));
  }
  return mappers.get(prepare);
}

/* For each site what that function makes of it; nothing where there is none. */
function placesOf(sites) {
  if (!isMapper(Error.prepareStackTrace)) return [];
  const text = Error.prepareStackTrace({ name: 'Error', message: '' }, sites);
  const lines = String(text).split('\n    at ').slice(1);
  if (lines.length !== sites.length) return [];
  return lines.map((line) => {
    const found = /(?:^|\()((?:file:\/\/)?\/.*):(\d+):\d+\)?$/.exec(line);
    return found && !found[1].includes('), ') ? { file: found[1], line: Number(found[2]) } : undefined;
  });
}

/* With --enable-source-maps, what the line was before it was compiled. To ask for a map where there can
 * be none takes as long as a bind. */
function mapped(file, line, column) {
  const map = Module.findSourceMap(file);
  const entry = map && map.findEntry(line - 1, column - 1);
  if (!entry || typeof entry.originalSource !== 'string' || entry.originalLine === undefined)
    return { file, line };
  return { file: entry.originalSource, line: entry.originalLine + 1 };
}

/* For the shim a TAB ends a name, and a newline a frame. */
const oneLine = (text) => (/[\t\n]/.test(text) ? text.replace(/[\t\n]/g, ' ') : text);

function frameText(file, site, told) {
  const line = site.getLineNumber();
  const name = oneLine(site.getFunctionName() || '<anonymous>');
  const isOfOthers = file.of === LIBRARY || file.of === FRAMEWORK;
  if (isOfOthers || (told === undefined && !process.sourceMapsEnabled))
    return `${file.of}${line}\t${name}\t${oneLine(file.path)}\n`;
  const place = told || mapped(file.name, line, site.getColumnNumber());
  return `${file.of}${place.line}\t${name}\t${oneLine(pathOf(place.file))}\n`;
}

/* `text` has the frames for the shim, the innermost first, `user` those from the user's own on. With
 * `isKnown` no more of them would be of use. `isAwaited`: functions that await those called are among
 * them. `isFull`: what comes behind would change nothing. */
function framesOf(sites, whole) {
  let text = '', user = -1, count = 0, users = 0, isCallback = false, isAwaited = false, isFull = false;
  const told = placesOf(sites);
  for (const [index, site] of sites.entries()) {
    isAwaited ||= site.isAsync();
    const name = site.getFileName() || (site.isEval() ? site.getEvalOrigin() && '[eval]' : null);
    if (!name || name === __filename) continue;
    const file = fileOf(name);
    const { of } = file;
    isCallback ||= user >= 0 && of === LIBRARY;
    if (!whole && (of === LIBRARY || of === FRAMEWORK)) continue;
    if (of === USER && user < 0) user = text.length;
    text += frameText(file, site, told[index]);
    users += of === USER;
    isFull = ++count === FRAMES_MAX || (!whole && users === 2);
    if (isFull) break;
  }
  return {
    text,
    user: user < 0 ? '' : text.slice(user),
    isKnown: users === 2 || isCallback,
    isAwaited,
    isFull,
  };
}

/* What stacks came to, by their keys: a program has few places that bind. A key says nothing of the
 * functions that await the stack's, so what those are part of is not kept, nor what was mapped. */
const answers = new Map();
const ANSWERS_MAX = 1000;

let stackKey = () => 0;

const isMapped = () => process.sourceMapsEnabled || isMapper(Error.prepareStackTrace);

function framesWithin(called, depth, whole, stack) {
  const key = stack === 0 || isMapped() ? 0 : stack;
  const known = answers.get(key);
  if (known !== undefined) return known;
  const sites = sitesAbove(called, depth);
  const frames = framesOf(sites, whole);
  frames.isKnown ||= sites.length < depth;
  if (key !== 0 && !frames.isAwaited && (frames.isFull || key > 0)) {
    if (answers.size >= ANSWERS_MAX) answers.clear();
    answers.set(key, frames);
  }
  return frames;
}

/* The frames that matter are near as a rule. */
function framesAbove(called, depth, key) {
  if (!shim.whole) {
    const frames = framesWithin(called, depth, false, key);
    if (frames.isKnown) return frames;
  }
  return framesWithin(called, DEEP, shim.whole, stackKey(DEEP + OWN_DEEP));
}

class Itself {
  constructor(object) {
    return object;
  }
}

/* Frames in a private field of a handle or a callback: nobody sees it, and it costs less than a
 * WeakMap. */
class Noted extends Itself {
  #frames;
  constructor(object, frames) {
    super(object);
    this.#frames = frames;
  }
  static of(object) {
    return #frames in object ? object.#frames : undefined;
  }
  static set(object, frames) {
    if (#frames in object) object.#frames = frames;
    else new Noted(object, frames);
  }
}

/* What was noted of things that lead to a call later on. */
const byTrigger = new Map();
const TRIGGERS_MAX = 512;
let hooks; /* async_hooks, of which none is enabled */
let shim;

/* In a callback of a lookup: what was noted when that was asked for. */
function noteOfCallback() {
  hooks = hooks || require('async_hooks');
  const resource = hooks.executionAsyncResource();
  const callback = resource && resource.callback;
  return typeof callback === 'function' ? Noted.of(callback) : undefined;
}

function framesHere(called, depth, key) {
  try {
    const noted = noteOfCallback();
    if (noted && noted.isAll) return noted.frames;
    const here = framesAbove(called, depth, key);
    if (here.user !== '') return here;
    /* Else of the handle that the callback is about. */
    const before = (noted && noted.frames) || byTrigger.get(hooks.triggerAsyncId()) || NOTHING;
    return { text: here.text + (here.text === '' ? before.text : before.user), user: before.user };
  } catch {
    return NOTHING;
  }
}

/* Asked for by who is near the top of the stack, since the functions of this file are walked over, too. */
function keyHere() {
  try {
    const noted = noteOfCallback();
    return noted && noted.isAll ? 0 : stackKey(BEHIND_HANDLE + OWN);
  } catch {
    return 0;
  }
}

const framesOfHandle = (called, key) => framesHere(called, BEHIND_HANDLE, key);

/* Notes frames for the handle, and for the callbacks that its events lead to. */
function note(handle, id, frames) {
  new Noted(handle, frames);
  if (frames.user === '') return frames;
  byTrigger.set(id, frames);
  if (byTrigger.size > TRIGGERS_MAX) byTrigger.delete(byTrigger.keys().next().value);
  return frames;
}

function wrap(prototype, name, framesFor) {
  const real = prototype[name];
  if (typeof real !== 'function') return;
  const wrapper = { [name](...words) {
    const frames = framesFor(this, wrapper);
    if (frames.text === '') return apply(real, this, words);
    shim.enter(frames.text);
    try {
      return apply(real, this, words);
    } finally {
      shim.leave();
    }
  } }[name];
  Object.defineProperty(prototype, name,
    { value: wrapper, writable: true, enumerable: true, configurable: true });
}

/* What binds, listens and connects: all of a handle for the same line, where that is known. */
function wrapHandle(prototype, names) {
  const idOf = prototype.getAsyncId;
  const framesFor = (handle, wrapper) => Noted.of(handle) ||
    note(handle, apply(idOf, handle, []), framesOfHandle(wrapper, keyHere()));
  for (const name of names) wrap(prototype, name, framesFor);
  /* Who reads an address is told by himself, and only of what was asked for by such a call. */
  wrap(prototype, 'getsockname', (handle, wrapper) =>
    Noted.of(handle) ? framesOfHandle(wrapper, keyHere()) : NOTHING);
  return idOf;
}

/* A connect is made in a later turn than it is asked for. When it is asked for the new handle's number
 * is looked at. */
function wrapTcp(TCP) {
  const idOf = wrapHandle(TCP.prototype, ['bind', 'bind6', 'listen', 'connect', 'connect6']);
  function getAsyncId() {
    const id = apply(idOf, this, []);
    if (!(this.fd >= 0) && !Noted.of(this)) 
      note(this, id, framesOfHandle(getAsyncId, keyHere()));
    return id;
  }
  Object.defineProperty(TCP.prototype, 'getAsyncId',
    { value: getAsyncId, writable: true, enumerable: true, configurable: true });
}

/* A datagram socket looks its address up first, by a function that it keeps at its handle. */
function wrapUdp(UDP) {
  const idOf = wrapHandle(UDP.prototype, ['bind', 'bind6', 'connect', 'connect6', 'send', 'send6']);
  const lookups = new Notes();
  Object.defineProperty(UDP.prototype, 'lookup', {
    configurable: true,
    get() {
      if (!(this.fd >= 0) && !Noted.of(this))
        note(this, apply(idOf, this, []), framesOfHandle(undefined, keyHere()));
      return lookups.get(this);
    },
    set(value) { lookups.set(this, value); },
  });
}

/* By its text: a function of the program's may have the same name. */
const isNodes = (callback) => Function.prototype.toString.call(callback).includes('listenInCluster(');

/* Node's own callback for listen calls somebody of the user's where there was an error. For a number
 * there is none, so that whatever is asked for in it is for the line that called listen. */
let net;
const isOfListen = (callback, host) =>
  callback.name === 'doListen' && (net = net || require('net')).isIP(host) !== 0 && isNodes(callback);

/* listen(port, host) binds in the callback of a lookup, even where the host is a number. The function in
 * its place is a native one, which no stack of the program's shows. */
function wrapLookup() {
  const dns = require('dns');
  const real = dns.lookup;
  const source = Function.prototype.toString.call(real);
  if (!/^function lookup\(hostname[^]*GetAddrInfoReqWrap/.test(source)) return;
  const noteAsked = (key, host, options, last) => {
    const callback = typeof options === 'function' ? options : last;
    if (typeof callback !== 'function' || typeof options === 'number') return;
    const frames = framesHere(noteAsked, BEHIND_LOOKUP, key);
    Noted.set(callback, { frames, isAll: isOfListen(callback, host) });
  };
  const lookup = shim.passing(real, noteAsked, BEHIND_LOOKUP);
  for (const key of Reflect.ownKeys(real))
    Object.defineProperty(lookup, key, Object.getOwnPropertyDescriptor(real, key));
  Object.defineProperty(lookup, 'toString',
    { value: { toString() { return source; } }.toString, configurable: true, writable: true });
  dns.lookup = lookup;
}

function quietly(act, ...words) {
  try {
    act(...words);
  } catch { /* no frames, then */ }
}

/* Calls `act` when the module of Node's that uses it takes it out of the binding: most programs never
 * do. */
function whenTaken(binding, name, act) {
  const given = Object.getOwnPropertyDescriptor(binding, name);
  const value = given.value;
  Object.defineProperty(binding, name, {
    configurable: true,
    enumerable: given.enumerable,
    get() {
      Object.defineProperty(binding, name, given);
      quietly(act, value);
      return value;
    },
  });
}

function bindingOf(name) {
  let find = process.binding;
  const original = Object.getPrototypeOf(find); /* below --pending-deprecation */
  if (typeof original === 'function' && original !== Function.prototype) find = original;
  return apply(find, process, [name]);
}

function install() {
  const loaded = process.moduleLoadList;
  const tcp = bindingOf('tcp_wrap');
  const udp = bindingOf('udp_wrap');
  const onTcp = (TCP) => {
    wrapTcp(TCP);
    wrapLookup();
  };
  if (loaded.includes('NativeModule net')) onTcp(tcp.TCP);
  else whenTaken(tcp, 'TCP', onTcp);
  if (loaded.includes('NativeModule internal/dgram')) wrapUdp(udp.UDP);
  else whenTaken(udp, 'UDP', wrapUdp);
}

/* Where the shim could not be asked to. */
function giveBackOptions() {
  const quoted = __filename.replace(/["\\]/g, '\\$&');
  const [before, text] = [`--require "${quoted}"`, process.env.NODE_OPTIONS];
  if (text === before) delete process.env.NODE_OPTIONS;
  else if (text && text.startsWith(`${before} `))
    process.env.NODE_OPTIONS = text.slice(before.length + 1);
}

quietly(hide);
quietly(() => {
  shim = attach();
  if (shim.stackKey) stackKey = shim.stackKey;
  if (shim.enter) install();
});
quietly(giveBackOptions);
