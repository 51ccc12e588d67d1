/* Java, and what else runs in HotSpot. */
#ifndef PORTWITNESS_FRAMES_JVM_H
#define PORTWITNESS_FRAMES_JVM_H

#include "shim/frames/languages.h"

/* Walks the stack of a call that a native method of the class library makes. */
frames_walk jvm_frames;

#endif
