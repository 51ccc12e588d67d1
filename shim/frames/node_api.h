/* Node's functions for addons, as in node_api.h, whose numbers and types do not change. */
#ifndef PORTWITNESS_FRAMES_NODE_API_H
#define PORTWITNESS_FRAMES_NODE_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void *napi_env, *napi_value, *napi_info, *napi_ref;
typedef napi_value napi_callback(napi_env env, napi_info info);
struct napi_version {
    uint32_t major, minor, patch;
    const char *release;
};

enum { NAPI_OK };

struct node_api {
    int (*create_function)(napi_env, const char *, size_t, napi_callback *, void *, napi_value *);
    int (*get_cb_info)(napi_env, napi_info, size_t *, napi_value *, napi_value *, void **);
    int (*get_value_string_utf8)(napi_env, napi_value, char *, size_t, size_t *);
    int (*get_value_int32)(napi_env, napi_value, int32_t *);
    int (*get_boolean)(napi_env, bool, napi_value *);
    int (*get_node_version)(napi_env, const struct napi_version **);
    int (*set_named_property)(napi_env, napi_value, const char *, napi_value);
    int (*get_reference_value)(napi_env, napi_ref, napi_value *);
    int (*create_reference)(napi_env, napi_value, uint32_t, napi_ref *);
    int (*create_double)(napi_env, double, napi_value *);
    int (*call_function)(napi_env, napi_value, napi_value, size_t, const napi_value *,
                         napi_value *);
};

/* Set by node_api_find. */
extern struct node_api node;

/* Looks them up. false where one is missing. */
bool node_api_find(void);

#endif
