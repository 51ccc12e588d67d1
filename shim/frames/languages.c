/* The one list of languages: each is a file of this folder. */
#include "shim/frames/languages.h"

#include "shim/frames/jvm.h"
#include "shim/frames/php.h"
#include "shim/frames/python.h"
#include "shim/frames/ruby.h"

frames_walk *const languages[] = {python_walk, jvm_frames, ruby_walk, php_walk};
const unsigned languages_count = sizeof languages / sizeof *languages;

void languages_begin(void) {
    python_begin();
    ruby_begin();
    php_begin();
}
