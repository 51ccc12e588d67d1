/* The languages need what keeps frames, so who asks the languages stands apart from it. */
#include <errno.h>

#include "shim/frames/frames.h"
#include "shim/frames/languages.h"
#include "shim/gate.h"
#include "shim/process/module_map.h"

/* What was found for this call. */
static __thread struct frames found;
static __thread int found_for;
static __thread uint64_t found_socket;
static __thread bool is_walking;

static bool walk(int fd, const void *site) {
    for (unsigned i = 0; i < languages_count; i++) {
        frames_begin(&found);
        if (languages[i](&found, fd, site) && found.kept.count > 0)
            return true;
    }
    return false;
}

/* Of what most programs pay for all this: the site has to be known anyway. */
static bool may_have_language(const void *site) {
    if (atomic_load_explicit(&languages_found, memory_order_relaxed))
        return true;
    if (site != NULL)
        module_note(site);
    return module_of_jdk_is_known();
}

__attribute__((noinline)) static const struct frames *ask(int fd, int call, const void *site) {
    const struct frames *answer = NULL;
    if (is_walking || recorder_facts()->no_frames || gate() != GATE_OPEN)
        return NULL;
    int saved = errno;
    is_walking = true;
    answer = frames_take_noted(fd, call);
    found.kept.count = 0;
    found_for = fd;
    found_socket = frames_socket(fd);
    if (walk(fd, site)) /* what is so now, rather than what was announced */
        answer = &found;
    is_walking = false;
    errno = saved;
    return answer;
}

const struct frames *frames_of_call(int fd, int call, const void *site) {
    return may_have_language(site) ? ask(fd, call, site) : NULL;
}

/* What is inside of the language's library differs. */
static bool is_same_call(int fd) {
    return found.listens && found.kept.count > 0 && found_for == fd &&
           found_socket == frames_socket(fd) && found.kept.most == 0 &&
           found.kept.frame[0].of >= PW_FRAME_DEPENDENCY && gate() == GATE_OPEN;
}

const struct frames *frames_of_listen(int fd, int call, const void *site) {
    if (!may_have_language(site))
        return NULL;
    return is_same_call(fd) ? &found : ask(fd, call, site);
}
