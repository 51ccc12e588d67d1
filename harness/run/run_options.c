/* `reserve` runs its command as `run` does without options. */
#include "harness/run/run_options.h"

#include "shim/shared/trace_format.h"

struct run_options run_options_default(void) {
    return (struct run_options){
        .trace = {.group = (gid_t)-1, .questions = PW_QUESTIONS, .policy.text = "kernel"},
        .follow = true};
}
