/*
 * The part of JNI and JVMTI that is used here, so that no header of a JDK is needed to build. Both
 * are tables of functions whose places never change: jni.h (JNIInvokeInterface_,
 * JNINativeInterface_) and jvmti.h (jvmtiInterface_1_; its comments number them, from 1) of any JDK
 * have them. tests/e2e/frames_java.bats compares.
 */
#ifndef PORTWITNESS_FRAMES_JVM_INTERFACE_H
#define PORTWITNESS_FRAMES_JVM_INTERFACE_H

#include <stdint.h>

enum {
    JVM_OK = 0, /* JNI_OK and JVMTI_ERROR_NONE */
    JVM_JNI_VERSION = 0x00010006,
    JVM_JVMTI_VERSION = 0x30010200, /* 1.2: JDK 6 and later */
    JVM_PHASE_LIVE = 4,
    JVM_CAPABILITY_BYTES = 32 /* jvmtiCapabilities has 16 */
};

/* Bits of the capabilities' first word. */
enum { JVM_CAN_GET_SOURCE_FILE_NAME = 0x0800, JVM_CAN_GET_LINE_NUMBERS = 0x1000 };

/* The tables have reserved places, so they are taken as arrays of functions, and the place says
 * which. */
typedef void jvm_function(void);
typedef jvm_function *const *jvm_table;
typedef const jvm_table *jvm_vm;    /* JavaVM * */
typedef const jvm_table *jvm_jni;   /* JNIEnv * */
typedef const jvm_table *jvm_jvmti; /* jvmtiEnv * */
typedef const struct jvm_object *jvm_reference;
typedef const struct jvm_method *jvm_method;

struct jvm_frame { /* jvmtiFrameInfo */
    jvm_method method;
    int64_t location; /* -1 in a native method */
};

struct jvm_line { /* jvmtiLineNumberEntry */
    int64_t start;
    int32_t line;
};

struct jvm_thread { /* jvmtiThreadInfo */
    char *name;
    int32_t priority;
    uint8_t is_daemon;
    jvm_reference group;
    jvm_reference class_loader;
};

/* Places from 0 on. */
enum jvm_place {
    JVM_VM_GET_ENV = 6,

    JVM_JNI_EXCEPTION_CLEAR = 17,
    JVM_JNI_DELETE_LOCAL_REF = 23,
    JVM_JNI_IS_SAME_OBJECT = 24,
    JVM_JNI_NEW_WEAK_GLOBAL_REF = 226,
    JVM_JNI_DELETE_WEAK_GLOBAL_REF = 227,
    JVM_JNI_EXCEPTION_CHECK = 228,

    JVM_TI_GET_THREAD_INFO = 8,
    JVM_TI_DEALLOCATE = 46,
    JVM_TI_GET_CLASS_SIGNATURE = 47,
    JVM_TI_GET_SOURCE_FILE_NAME = 49,
    JVM_TI_GET_METHOD_NAME = 63,
    JVM_TI_GET_METHOD_DECLARING_CLASS = 64,
    JVM_TI_GET_LINE_NUMBER_TABLE = 69,
    JVM_TI_GET_STACK_TRACE = 103,
    JVM_TI_DISPOSE_ENVIRONMENT = 126,
    JVM_TI_GET_PHASE = 132,
    JVM_TI_GET_POTENTIAL_CAPABILITIES = 139,
    JVM_TI_ADD_CAPABILITIES = 141
};

typedef int32_t jvm_created_vms(jvm_vm *vms, int32_t room, int32_t *count);
typedef int32_t jvm_get_env(jvm_vm, void **environment, int32_t version);

typedef void jvm_delete_local_ref(jvm_jni, jvm_reference);
typedef void jvm_exception_clear(jvm_jni);
typedef uint8_t jvm_exception_check(jvm_jni);
typedef uint8_t jvm_is_same_object(jvm_jni, jvm_reference, jvm_reference);
typedef jvm_reference jvm_new_weak_global_ref(jvm_jni, jvm_reference);
typedef void jvm_delete_weak_global_ref(jvm_jni, jvm_reference);

typedef int32_t jvm_get_thread_info(jvm_jvmti, jvm_reference thread, struct jvm_thread *info);
typedef int32_t jvm_deallocate(jvm_jvmti, void *memory);
typedef int32_t jvm_get_class_signature(jvm_jvmti, jvm_reference, char **plain, char **generic);
typedef int32_t jvm_get_source_file_name(jvm_jvmti, jvm_reference, char **name);
typedef int32_t jvm_get_method_name(jvm_jvmti, jvm_method, char **name, char **, char **);
typedef int32_t jvm_get_method_declaring_class(jvm_jvmti, jvm_method, jvm_reference *of);
typedef int32_t jvm_get_line_number_table(jvm_jvmti, jvm_method, int32_t *count,
                                          struct jvm_line **lines);
typedef int32_t jvm_get_stack_trace(jvm_jvmti, jvm_reference thread, int32_t from, int32_t room,
                                    struct jvm_frame *frames, int32_t *count);
typedef int32_t jvm_dispose_environment(jvm_jvmti);
typedef int32_t jvm_get_phase(jvm_jvmti, int32_t *phase);
typedef int32_t jvm_get_potential_capabilities(jvm_jvmti, uint32_t *capabilities);
typedef int32_t jvm_add_capabilities(jvm_jvmti, const uint32_t *capabilities);

/* JVM(environment, type, place)(arguments): a call through a table. */
#define JVM(environment, type, place) ((type *)(*(environment))[place])

#endif
