/* What was found out about Java's methods, for the next time. */
#ifndef PORTWITNESS_FRAMES_JAVA_METHODS_H
#define PORTWITNESS_FRAMES_JAVA_METHODS_H

#include <stdint.h>

#include "shim/frames/jvm_interface.h"
#include "shim/shared/trace_format.h"

/* What its class and its name say of a method. */
struct java_method {
    jvm_method id;
    jvm_reference class; /* weak, so that it may be unloaded */
    enum pw_frame_of of;
    uint64_t text; /* the name of its texts (text_intern); 0: not known yet */
};

struct java_methods;

/* To be used until java_methods_give. NULL where another thread uses them: then nothing is known,
 * and nothing remembered. */
struct java_methods *java_methods_take(void);
void java_methods_give(struct java_methods *methods);

/* The method of that id, if it is the one of this very class; else NULL. */
struct java_method *java_method_known(struct java_methods *methods, jvm_jni jni, jvm_method id,
                                      jvm_reference class);

/* Its place from now on, NULL where there is none. */
struct java_method *java_method_remember(struct java_methods *methods, jvm_jni jni, jvm_method id,
                                         jvm_reference class, enum pw_frame_of of);

#endif
