/* How a language says what a fix asks for. */
#ifndef PORTWITNESS_REPORT_FIX_IN_LANGUAGE_H
#define PORTWITNESS_REPORT_FIX_IN_LANGUAGE_H

#include "harness/check/check.h"

enum fix_means {
    FIX_NOTHING,
    FIX_PORT_ZERO,
    FIX_REUSE_ADDRESS,
    FIX_CLOSE_ON_EXEC,
    FIX_V6_ONLY,
    FIX_CLOSE,
    FIX_MEANS
};

/* "in Python: ...", NULL where the program's language is not known, or has nothing to say. */
const char *fix_in_language(const struct check *check, const struct finding *finding,
                            enum fix_means means);

#endif
