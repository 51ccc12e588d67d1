/*
 * A thread that makes a call in a native method of the class library is where any native method may
 * ask the virtual machine: nothing there is locked, and the collector does not wait for it. So the
 * call site's module decides, and that the thread is attached, which is never done here.
 *
 * While a method's frame is on our own stack its class cannot be unloaded. What is asked for runs
 * no Java code, and the two capabilities slow nothing down: HotSpot grants them at any time.
 */
#include "shim/frames/jvm.h"

#include <stdatomic.h>
#include <stddef.h>

#include "shim/frames/java_methods.h"
#include "shim/frames/java_names.h"
#include "shim/frames/jvm_interface.h"
#include "shim/frames/text.h"
#include "shim/process/module_map.h"
#include "shim/process/module_symbol.h"
#include "shim/process/sandbox.h"

enum { FRAMES_FIRST = 10, FRAMES_AT_A_TIME = 40, DEPTH_MAX = 600, NAME_BYTES = 512 };

/* The virtual machine as this thread may ask it, for the time of one call. */
struct java_machine {
    jvm_jni jni;
    jvm_jvmti jvmti;
    struct java_methods *methods;
};

/* One process has one machine, as long as it lives: HotSpot makes no second one. */
static _Atomic uintptr_t finder; /* of the machine; 0: not looked for, 1: there is none */
static _Atomic uintptr_t kept_machine;
static _Atomic uintptr_t kept_jvmti;

static jvm_created_vms *find_finder(void) {
    uintptr_t known = atomic_load_explicit(&finder, memory_order_acquire);
    if (known == 0) {
        known = (uintptr_t)module_symbol("libjvm.so", "JNI_GetCreatedJavaVMs");
        if (known == 0)
            known = 1;
        atomic_store_explicit(&finder, known, memory_order_release);
    }
    return known == 1 ? NULL : (jvm_created_vms *)known;
}

/* Lines and source files, if they are to be had. */
static void add_capabilities(jvm_jvmti jvmti) {
    uint32_t may[JVM_CAPABILITY_BYTES / sizeof(uint32_t)] = {0};
    uint32_t wanted[JVM_CAPABILITY_BYTES / sizeof(uint32_t)] = {0};
    if (JVM(jvmti, jvm_get_potential_capabilities, JVM_TI_GET_POTENTIAL_CAPABILITIES)(jvmti, may) !=
        JVM_OK)
        return;
    wanted[0] = may[0] & (JVM_CAN_GET_SOURCE_FILE_NAME | JVM_CAN_GET_LINE_NUMBERS);
    JVM(jvmti, jvm_add_capabilities, JVM_TI_ADD_CAPABILITIES)(jvmti, wanted);
}

/* Ours for this machine: made once. If two threads make one at a time, the first that is ready
 * stays. */
static jvm_jvmti keep_jvmti(jvm_vm vm) {
    void *made;
    uintptr_t none = 0;
    uintptr_t kept = atomic_load_explicit(&kept_jvmti, memory_order_acquire);
    if (kept != 0)
        return atomic_load_explicit(&kept_machine, memory_order_acquire) == (uintptr_t)vm
                   ? (jvm_jvmti)kept
                   : NULL;
    if (JVM(vm, jvm_get_env, JVM_VM_GET_ENV)(vm, &made, JVM_JVMTI_VERSION) != JVM_OK)
        return NULL;
    jvm_jvmti jvmti = made;
    add_capabilities(jvmti);
    atomic_store_explicit(&kept_machine, (uintptr_t)vm, memory_order_release);
    if (atomic_compare_exchange_strong(&kept_jvmti, &none, (uintptr_t)made))
        return jvmti;
    JVM(jvmti, jvm_dispose_environment, JVM_TI_DISPOSE_ENVIRONMENT)(jvmti);
    return (jvm_jvmti)none;
}

static bool is_live(jvm_jvmti jvmti) {
    int32_t phase = 0;
    return JVM(jvmti, jvm_get_phase, JVM_TI_GET_PHASE)(jvmti, &phase) == JVM_OK &&
           phase == JVM_PHASE_LIVE;
}

/* false where the machine is not to be asked: it is being made or destroyed, does not know this
 * thread, or an exception is pending, which no question may meet. */
static bool find_machine(struct java_machine *machine) {
    jvm_created_vms *created = find_finder();
    jvm_vm vm;
    void *jni;
    int32_t count = 0;
    if (created == NULL || created(&vm, 1, &count) != JVM_OK || count < 1 ||
        JVM(vm, jvm_get_env, JVM_VM_GET_ENV)(vm, &jni, JVM_JNI_VERSION) != JVM_OK)
        return false;
    machine->jni = jni;
    if (JVM(machine->jni, jvm_exception_check, JVM_JNI_EXCEPTION_CHECK)(machine->jni) != 0)
        return false;
    machine->jvmti = keep_jvmti(vm);
    return machine->jvmti != NULL && is_live(machine->jvmti);
}

static void free_text(const struct java_machine *machine, void *text) {
    if (text != NULL)
        JVM(machine->jvmti, jvm_deallocate, JVM_TI_DEALLOCATE)(machine->jvmti, text);
}

static void drop_reference(const struct java_machine *machine, jvm_reference reference) {
    if (reference != NULL)
        JVM(machine->jni, jvm_delete_local_ref, JVM_JNI_DELETE_LOCAL_REF)(machine->jni, reference);
}

/* The line of the last entry that begins at the place or before; they stand in any order. */
static uint32_t find_line(const struct java_machine *machine, const struct jvm_frame *frame) {
    struct jvm_line *lines = NULL;
    int32_t count = 0;
    const struct jvm_line *best = NULL;
    if (frame->location < 0 ||
        JVM(machine->jvmti, jvm_get_line_number_table,
            JVM_TI_GET_LINE_NUMBER_TABLE)(machine->jvmti, frame->method, &count, &lines) != JVM_OK)
        return 0;
    for (int32_t i = 0; i < count; i++)
        if (lines[i].start <= frame->location && (best == NULL || lines[i].start >= best->start))
            best = &lines[i];
    uint32_t line = best != NULL && best->line > 0 ? (uint32_t)best->line : 0;
    free_text(machine, lines);
    return line;
}

/* The name of what a frame is called. 0: it has none. */
static uint64_t ask_text(const struct java_machine *machine, jvm_method id, jvm_reference class,
                         const char *signature) {
    char function[NAME_BYTES];
    char file[NAME_BYTES];
    char *method = NULL;
    char *source = NULL;
    if (JVM(machine->jvmti, jvm_get_method_name,
            JVM_TI_GET_METHOD_NAME)(machine->jvmti, id, &method, NULL, NULL) != JVM_OK)
        return 0;
    if (JVM(machine->jvmti, jvm_get_source_file_name,
            JVM_TI_GET_SOURCE_FILE_NAME)(machine->jvmti, class, &source) != JVM_OK)
        source = NULL; /* compiled without */
    java_function(function, sizeof function, signature, method);
    java_file(file, sizeof file, signature, source);
    free_text(machine, method);
    free_text(machine, source);
    return text_intern(file, function);
}

/* Whose class the method is of and, where that is wanted, what it is called. Those of the class
 * library and of frameworks are passed over without a question for their names, unless any frame is
 * wanted. false: it cannot be had. */
static bool ask_method(const struct java_machine *machine, jvm_method id, jvm_reference class,
                       bool any, struct java_method *answer) {
    char *signature = NULL;
    if (JVM(machine->jvmti, jvm_get_class_signature,
            JVM_TI_GET_CLASS_SIGNATURE)(machine->jvmti, class, &signature, NULL) != JVM_OK)
        return false;
    answer->of = java_owner(signature);
    answer->text = any || answer->of == PW_FRAME_DEPENDENCY || answer->of == PW_FRAME_USER
                       ? ask_text(machine, id, class, signature)
                       : 0;
    free_text(machine, signature);
    return true;
}

static bool find_method(const struct java_machine *machine, jvm_method id, jvm_reference class,
                        bool any, struct java_method *answer) {
    struct java_method *known = java_method_known(machine->methods, machine->jni, id, class);
    bool is_enough = known != NULL && (known->text != 0 || (!any && known->of != PW_FRAME_USER &&
                                                            known->of != PW_FRAME_DEPENDENCY));
    if (is_enough) {
        *answer = *known;
        return true;
    }
    if (!ask_method(machine, id, class, any, answer))
        return false;
    if (known == NULL)
        known = java_method_remember(machine->methods, machine->jni, id, class, answer->of);
    if (known != NULL && answer->text != 0)
        known->text = answer->text;
    return true;
}

static bool add_frame(struct frames *frames, const struct java_machine *machine,
                      const struct jvm_frame *frame, bool any) {
    jvm_reference class = NULL;
    struct java_method method;
    bool more = true;
    if (JVM(machine->jvmti, jvm_get_method_declaring_class,
            JVM_TI_GET_METHOD_DECLARING_CLASS)(machine->jvmti, frame->method, &class) != JVM_OK)
        return true;
    if (find_method(machine, frame->method, class, any, &method)) {
        if (!any && method.of != PW_FRAME_DEPENDENCY && method.of != PW_FRAME_USER)
            more = frames_pass(frames, method.of);
        else if (method.text != 0)
            more = frames_add_interned(frames, method.of, method.text, find_line(machine, frame));
    }
    drop_reference(machine, class);
    return more;
}

/* Up to `room` frames from that depth on; how many there were. */
static int32_t get_stack(const struct java_machine *machine, int32_t depth, int32_t room,
                         struct jvm_frame stack[FRAMES_AT_A_TIME]) {
    int32_t count = 0;
    int32_t error = JVM(machine->jvmti, jvm_get_stack_trace,
                        JVM_TI_GET_STACK_TRACE)(machine->jvmti, NULL, depth, room, stack, &count);
    return error == JVM_OK ? count : 0;
}

/* Each frame costs, and stacks below a test runner are deep, so a few are asked for first. A thread
 * that runs nothing but the class library and frameworks is known by its innermost frame. */
static void add_frames(struct frames *frames, const struct java_machine *machine) {
    struct jvm_frame stack[FRAMES_AT_A_TIME];
    int32_t room = FRAMES_FIRST;
    int32_t count = get_stack(machine, 0, room, stack);
    if (count == 0)
        return;
    struct jvm_frame innermost = stack[0];
    bool more = true;
    for (int32_t depth = 0; more && count > 0 && depth < DEPTH_MAX;) {
        for (int32_t i = 0; more && i < count; i++)
            more = add_frame(frames, machine, &stack[i], frames->kept.most != 0);
        depth += count;
        bool is_all = count < room;
        room = FRAMES_AT_A_TIME;
        count = more && !is_all ? get_stack(machine, depth, room, stack) : 0;
    }
    if (frames->kept.count == 0)
        add_frame(frames, machine, &innermost, true);
}

static void name_thread(struct frames *frames, const struct java_machine *machine) {
    struct jvm_thread thread = {0};
    if (JVM(machine->jvmti, jvm_get_thread_info, JVM_TI_GET_THREAD_INFO)(machine->jvmti, NULL,
                                                                         &thread) != JVM_OK)
        return;
    frames_name_thread(frames, thread.name);
    free_text(machine, thread.name);
    drop_reference(machine, thread.group);
    drop_reference(machine, thread.class_loader);
}

bool jvm_frames(struct frames *frames, int fd, const void *site) {
    struct java_machine machine;
    (void)fd;
    if (module_kind(site) != MODULE_OF_JDK || sandbox_is_on() || !find_machine(&machine))
        return false;
    machine.methods = java_methods_take();
    add_frames(frames, &machine);
    java_methods_give(machine.methods);
    if (frames->kept.count > 0)
        name_thread(frames, &machine);
    frames->listens = true; /* no class has a method of its own for that */
    return frames->kept.count > 0;
}
