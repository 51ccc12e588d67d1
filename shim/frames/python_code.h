/* Whose code a file of Python code is. */
#ifndef PORTWITNESS_FRAMES_PYTHON_CODE_H
#define PORTWITNESS_FRAMES_PYTHON_CODE_H

#include "shim/shared/trace_format.h"

enum pw_frame_of python_code_of(const char *file);

#endif
