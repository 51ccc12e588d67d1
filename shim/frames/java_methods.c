/*
 * The id of a method says nothing for long: once its class was unloaded it may be another's. So the
 * class is kept with it, by a reference that does not hold it, and is compared with that which the
 * id has now: while a class lives, an id of it is of one method, whose name no redefinition
 * changes. Lines are not kept, which redefinitions do change.
 */
#include "shim/frames/java_methods.h"
#include "shim/shared/rarely_touched.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { METHODS = 256 };

RARELY_TOUCHED static struct java_methods { struct java_method method[METHODS]; } methods;

static _Atomic bool is_taken;

struct java_methods *java_methods_take(void) {
    return atomic_exchange_explicit(&is_taken, true, memory_order_acquire) ? NULL : &methods;
}

void java_methods_give(struct java_methods *given) {
    if (given != NULL)
        atomic_store_explicit(&is_taken, false, memory_order_release);
}

static struct java_method *place_of(struct java_methods *here, jvm_method id) {
    uint64_t mixed = (uint64_t)(uintptr_t)id * UINT64_C(0x9e3779b97f4a7c15);
    return &here->method[(mixed >> 32) % METHODS];
}

struct java_method *java_method_known(struct java_methods *here, jvm_jni jni, jvm_method id,
                                      jvm_reference class) {
    struct java_method *method = here != NULL ? place_of(here, id) : NULL;
    if (method == NULL || method->class == NULL || method->id != id ||
        JVM(jni, jvm_is_same_object, JVM_JNI_IS_SAME_OBJECT)(jni, method->class, class) == 0)
        return NULL;
    return method;
}

struct java_method *java_method_remember(struct java_methods *here, jvm_jni jni, jvm_method id,
                                         jvm_reference class, enum pw_frame_of of) {
    if (here == NULL)
        return NULL;
    struct java_method *method = place_of(here, id);
    jvm_reference weak = JVM(jni, jvm_new_weak_global_ref, JVM_JNI_NEW_WEAK_GLOBAL_REF)(jni, class);
    if (weak == NULL) { /* no memory; the exception is not the guest's */
        JVM(jni, jvm_exception_clear, JVM_JNI_EXCEPTION_CLEAR)(jni);
        return NULL;
    }
    if (method->class != NULL)
        JVM(jni, jvm_delete_weak_global_ref, JVM_JNI_DELETE_WEAK_GLOBAL_REF)(jni, method->class);
    *method = (struct java_method){id, weak, of, 0};
    return method;
}
