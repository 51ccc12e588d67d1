/*
 * V8 has no interface in C. Node exports V8's C++ functions, though, for addons, and keeps them as
 * they are for all of a major version. Those used here take and return pointers and small numbers
 * in registers only, in the versions that were looked at; in any other, and where one function is
 * missing, no stack has a key. A handle of V8's (v8::Local) is a pointer, and a napi_value is one.
 */
#include "shim/frames/node_stack.h"

#include <dlfcn.h>

typedef void v8_isolate, v8_trace, v8_frame;

/* Whatever context the function is of: (kExposeFramesAcrossSecurityOrigins | kDetailed) */
enum { OPTIONS = 1 << 8 | 0x7f, NAME_BYTES = 512 };

static struct {
    v8_isolate *(*isolate)(void);
    bool (*runs_microtasks)(v8_isolate *);
    v8_trace *(*trace)(v8_isolate *, int limit, int options);
    int (*count)(const v8_trace *);
    v8_frame *(*frame)(const v8_trace *, v8_isolate *, unsigned index);
    int (*script)(const v8_frame *);
    uint64_t (*location)(const v8_frame *); /* two numbers of 32 bits */
    napi_value (*function)(const v8_frame *);
} v8;

#define FIND(name, symbol) ((*(void **)&v8.name = dlsym(RTLD_DEFAULT, symbol)) != NULL)

static bool find_functions(void) {
    return FIND(isolate, "_ZN2v87Isolate10GetCurrentEv") &&
           FIND(runs_microtasks, "_ZN2v815MicrotasksScope19IsRunningMicrotasksEPNS_7IsolateE") &&
           FIND(trace, "_ZN2v810StackTrace17CurrentStackTraceEPNS_7IsolateEiNS0_"
                       "17StackTraceOptionsE") &&
           FIND(count, "_ZNK2v810StackTrace13GetFrameCountEv") &&
           FIND(frame, "_ZNK2v810StackTrace8GetFrameEPNS_7IsolateEj") &&
           FIND(script, "_ZNK2v810StackFrame11GetScriptIdEv") &&
           FIND(location, "_ZNK2v810StackFrame11GetLocationEv") &&
           FIND(function, "_ZNK2v810StackFrame15GetFunctionNameEv");
}

bool node_stack_find(napi_env env) {
    const struct napi_version *version;
    if (node.get_node_version(env, &version) != NAPI_OK)
        return false;
    switch (version->major) {
    case 18:
    case 20:
    case 22:
    case 24:
        return find_functions();
    default:
        return false;
    }
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 29;
}

/* Functions of one place may have names of their own. */
static bool mix_name(napi_env env, uint64_t *hash, napi_value name) {
    char text[NAME_BYTES];
    size_t length = 0;
    if (name != NULL &&
        node.get_value_string_utf8(env, name, text, sizeof text, &length) != NAPI_OK)
        return false;
    *hash = mix(*hash, length);
    for (size_t at = 0; at < length; at++)
        *hash = (*hash ^ (unsigned char)text[at]) * 0x100000001B3U;
    return length < sizeof text - 4; /* else it may have been cut off */
}

double node_stack_key(napi_env env, int limit) {
    v8_isolate *isolate = v8.function != NULL ? v8.isolate() : NULL;
    const v8_trace *trace = isolate != NULL ? v8.trace(isolate, limit, OPTIONS) : NULL;
    if (trace == NULL)
        return 0;
    int count = v8.count(trace);
    uint64_t hash = mix(0, (uint64_t)count);
    for (int i = 0; i < count; i++) {
        const v8_frame *frame = v8.frame(trace, isolate, (unsigned)i);
        hash = mix(mix(hash, (uint64_t)v8.script(frame)), v8.location(frame));
        if (!mix_name(env, &hash, v8.function(frame)))
            return 0;
    }
    double key = (double)(mix(hash, 0) >> 12 | 1); /* as many bits as a double has */
    return count < limit && v8.runs_microtasks(isolate) ? -key : key;
}
