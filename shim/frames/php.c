/*
 * By two questions of the Zend engine that read its state and make nothing. The function that a
 * line is in can only be had with a whole backtrace, for which memory is taken from the script's
 * allowance. Frames further out are not to be had either.
 *
 * The state is that of the one thread that runs scripts, and is readable by all: in a build without
 * threads, which alone has a variable of that name, it is the main thread.
 */
#include "shim/frames/php.h"

#include <stdint.h>
#include <string.h>

#include "shim/frames/in_handler.h"
#include "shim/identity.h"
#include "shim/process/module_symbol.h"

static bool (*is_executing)(void);
static const char *(*executed_file)(void);
static uint32_t (*executed_line)(void);
static bool is_there;

static bool look_up(void *pointer, const char *name) {
    void *found = started_symbol(name);
    memcpy(pointer, &found, sizeof found);
    return found != NULL;
}

void php_begin(void) {
    is_there = frames_are_on() && look_up(&is_executing, "zend_is_executing") &&
               look_up(&executed_file, "zend_get_executed_filename") &&
               look_up(&executed_line, "zend_get_executed_lineno") &&
               started_variable("executor_globals") != NULL;
    if (is_there)
        atomic_store(&languages_found, true);
}

bool php_walk(struct frames *frames, int fd, const void *site) {
    (void)fd;
    (void)site;
    if (!is_there || identity_thread() != identity_pid_now() || may_be_in_handler() ||
        !is_executing())
        return false;
    const char *file = executed_file();
    if (file == NULL || *file == '[') /* "[no active file]" */
        return false;
    frames_add(frames, php_code_of(file), file, NULL, executed_line());
    return frames->kept.count > 0;
}
