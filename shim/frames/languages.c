/* The one list of languages: each is a file of this folder. */
#include "shim/frames/languages.h"

static bool nobody(struct frames *frames, int fd, const void *site) {
    (void)frames;
    (void)fd;
    (void)site;
    return false;
}

frames_walk *const languages[] = {nobody};
const unsigned languages_count = sizeof languages / sizeof *languages;
