/* Frames of PHP, as it is built for the command line and for php-fpm (without threads): one, with
 * the file and the line. */
#ifndef PORTWITNESS_FRAMES_PHP_H
#define PORTWITNESS_FRAMES_PHP_H

#include "shim/frames/languages.h"

/* Looks for an interpreter: once, when the shim has started. */
void php_begin(void);

/* Whose code a file holds, as far as its path says. */
enum pw_frame_of php_code_of(const char *path);

/* See languages.h. */
frames_walk php_walk;

#endif
