/* The one list of languages: each is a file of this folder. */
#include "shim/frames/languages.h"

#include "shim/frames/python.h"

frames_walk *const languages[] = {python_walk};
const unsigned languages_count = sizeof languages / sizeof *languages;

void languages_begin(void) { python_begin(); }
