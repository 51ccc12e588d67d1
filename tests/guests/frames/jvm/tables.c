/* Compiles only if the places in the tables of JNI and JVMTI are those of the headers. */
#include <jni.h>
#include <jvmti.h>
#include <stddef.h>

#include "shim/frames/jvm_interface.h"

#define PLACED(table, member, place)                                                               \
    _Static_assert(offsetof(struct table, member) == (place) * sizeof(void *), #member)

PLACED(JNIInvokeInterface_, GetEnv, JVM_VM_GET_ENV);
PLACED(JNINativeInterface_, ExceptionClear, JVM_JNI_EXCEPTION_CLEAR);
PLACED(JNINativeInterface_, IsSameObject, JVM_JNI_IS_SAME_OBJECT);
PLACED(JNINativeInterface_, NewWeakGlobalRef, JVM_JNI_NEW_WEAK_GLOBAL_REF);
PLACED(JNINativeInterface_, DeleteWeakGlobalRef, JVM_JNI_DELETE_WEAK_GLOBAL_REF);
PLACED(JNINativeInterface_, DeleteLocalRef, JVM_JNI_DELETE_LOCAL_REF);
PLACED(JNINativeInterface_, ExceptionCheck, JVM_JNI_EXCEPTION_CHECK);
PLACED(jvmtiInterface_1_, GetThreadInfo, JVM_TI_GET_THREAD_INFO);
PLACED(jvmtiInterface_1_, Deallocate, JVM_TI_DEALLOCATE);
PLACED(jvmtiInterface_1_, GetClassSignature, JVM_TI_GET_CLASS_SIGNATURE);
PLACED(jvmtiInterface_1_, GetSourceFileName, JVM_TI_GET_SOURCE_FILE_NAME);
PLACED(jvmtiInterface_1_, GetMethodName, JVM_TI_GET_METHOD_NAME);
PLACED(jvmtiInterface_1_, GetMethodDeclaringClass, JVM_TI_GET_METHOD_DECLARING_CLASS);
PLACED(jvmtiInterface_1_, GetLineNumberTable, JVM_TI_GET_LINE_NUMBER_TABLE);
PLACED(jvmtiInterface_1_, GetStackTrace, JVM_TI_GET_STACK_TRACE);
PLACED(jvmtiInterface_1_, DisposeEnvironment, JVM_TI_DISPOSE_ENVIRONMENT);
PLACED(jvmtiInterface_1_, GetPhase, JVM_TI_GET_PHASE);
PLACED(jvmtiInterface_1_, GetPotentialCapabilities, JVM_TI_GET_POTENTIAL_CAPABILITIES);
PLACED(jvmtiInterface_1_, AddCapabilities, JVM_TI_ADD_CAPABILITIES);

_Static_assert(JVM_JNI_VERSION == JNI_VERSION_1_6, "JNI version");
_Static_assert((int)JVM_JVMTI_VERSION == (int)JVMTI_VERSION_1_2, "JVMTI version");
_Static_assert((int)JVM_PHASE_LIVE == (int)JVMTI_PHASE_LIVE, "phase");
_Static_assert(sizeof(jvmtiCapabilities) <= JVM_CAPABILITY_BYTES, "capabilities");
_Static_assert(sizeof(struct jvm_frame) == sizeof(jvmtiFrameInfo), "frame");
_Static_assert(sizeof(struct jvm_line) == sizeof(jvmtiLineNumberEntry), "line");
_Static_assert(sizeof(struct jvm_thread) == sizeof(jvmtiThreadInfo), "thread");
_Static_assert(offsetof(struct jvm_thread, group) == offsetof(jvmtiThreadInfo, thread_group),
               "thread");

/* Bits have no offset. */
int main(void) {
    union {
        jvmtiCapabilities capabilities;
        unsigned first;
    } one = {.first = JVM_CAN_GET_SOURCE_FILE_NAME | JVM_CAN_GET_LINE_NUMBERS};
    return one.capabilities.can_get_source_file_name && one.capabilities.can_get_line_numbers ? 0
                                                                                              : 1;
}
