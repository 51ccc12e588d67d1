/* The one list of languages: each is a file of this folder. */
#include "shim/frames/languages.h"

#include "shim/frames/jvm.h"

frames_walk *const languages[] = {jvm_frames};
const unsigned languages_count = sizeof languages / sizeof *languages;
