/* An agent as profilers are: it has an environment and capabilities of its own, and looks at the
 * stack of each thread that gets a class ready. What it sees of itself at the end it prints. */
#include <jvmti.h>
#include <stdio.h>
#include <string.h>

static jvmtiEnv *own;
static int looks;
static int lines;

static void JNICALL look(jvmtiEnv *jvmti, JNIEnv *jni, jthread thread, jclass class) {
    jvmtiFrameInfo frames[8];
    jint count = 0;
    (void)jni;
    (void)class;
    (*jvmti)->GetStackTrace(jvmti, thread, 0, 8, frames, &count);
    __atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED);
    for (jint i = 0; i < count; i++) {
        jvmtiLineNumberEntry *table = NULL;
        jint entries = 0;
        if ((*jvmti)->GetLineNumberTable(jvmti, frames[i].method, &entries, &table) == 0) {
            __atomic_fetch_add(&lines, entries, __ATOMIC_RELAXED);
            (*jvmti)->Deallocate(jvmti, (unsigned char *)table);
        }
    }
}

static void JNICALL at_death(jvmtiEnv *jvmti, JNIEnv *jni) {
    jvmtiCapabilities has;
    (void)jni;
    memset(&has, 0, sizeof has);
    (*jvmti)->GetCapabilities(jvmti, &has);
    printf("agent: lines %d, source files %d, looks %s, seen lines %s\n",
           (int)has.can_get_line_numbers, (int)has.can_get_source_file_name,
           looks > 0 ? "some" : "none", lines > 0 ? "some" : "none");
    fflush(stdout);
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *vm, char *options, void *reserved) {
    jvmtiCapabilities wanted;
    jvmtiEventCallbacks callbacks;
    (void)options;
    (void)reserved;
    memset(&wanted, 0, sizeof wanted);
    memset(&callbacks, 0, sizeof callbacks);
    if ((*vm)->GetEnv(vm, (void **)&own, JVMTI_VERSION_1_2) != JNI_OK)
        return 1;
    wanted.can_get_line_numbers = 1;
    callbacks.ClassPrepare = look;
    callbacks.VMDeath = at_death;
    (*own)->AddCapabilities(own, &wanted);
    (*own)->SetEventCallbacks(own, &callbacks, sizeof callbacks);
    (*own)->SetEventNotificationMode(own, JVMTI_ENABLE, JVMTI_EVENT_CLASS_PREPARE, NULL);
    (*own)->SetEventNotificationMode(own, JVMTI_ENABLE, JVMTI_EVENT_VM_DEATH, NULL);
    return 0;
}
