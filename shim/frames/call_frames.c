/* The languages need what keeps frames, so who asks the languages stands apart from it. */
#include <errno.h>

#include "shim/frames/frames.h"
#include "shim/frames/languages.h"
#include "shim/gate.h"

/* What was found for this call. */
static __thread struct frames found;
static __thread int found_for;
static __thread bool is_walking;

static bool walk(int fd, const void *site) {
    for (unsigned i = 0; i < languages_count; i++) {
        frames_begin(&found);
        if (languages[i](&found, fd, site) && found.count > 0)
            return true;
    }
    return false;
}

const struct frames *frames_of_call(int fd, const void *site) {
    const struct frames *answer = NULL;
    if (is_walking || recorder_facts()->no_frames || gate() != GATE_OPEN)
        return NULL;
    int saved = errno;
    is_walking = true;
    answer = frames_take_noted(fd);
    found.count = 0;
    found_for = fd;
    if (answer == NULL && walk(fd, site))
        answer = &found;
    is_walking = false;
    errno = saved;
    return answer;
}

/* What is inside of the language's library differs. */
static bool is_same_call(int fd) {
    return found.listens && found.count > 0 && found_for == fd && !found.whole &&
           found.frame[0].of >= PW_FRAME_DEPENDENCY;
}

const struct frames *frames_of_listen(int fd, const void *site) {
    return is_same_call(fd) && gate() == GATE_OPEN ? &found : frames_of_call(fd, site);
}
