/* keep_answers as a static program, which no preloaded library can enter. */
#include "keep_answers.c"
