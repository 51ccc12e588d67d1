/* Only Node has these functions, and a program that is no Node loads without them. */
#include "shim/frames/node_api.h"

#include <dlfcn.h>

struct node_api node;

#define FIND(name) ((*(void **)&node.name = dlsym(RTLD_DEFAULT, "napi_" #name)) != NULL)

bool node_api_find(void) {
    return FIND(create_function) && FIND(get_cb_info) && FIND(get_value_string_utf8) &&
           FIND(get_value_int32) && FIND(get_boolean) && FIND(get_node_version) &&
           FIND(set_named_property) && FIND(get_reference_value) && FIND(create_reference) &&
           FIND(create_double) && FIND(call_function);
}
