/* One line that is drawn over and over, and gone before anything else is written. */
#include "harness/base/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "shim/shared/recorder.h"

enum { BAR_WIDTH = 30 };

/* A terminal takes its time; a storm of a million rounds must not wait for it. */
#define REDRAW_NS UINT64_C(50000000)

static bool shown;
static uint64_t drawn_ns;

/* Is it time to draw? What cannot be seen is not drawn. */
static bool is_due(void) {
    uint64_t now = monotonic_ns();
    if (!isatty(STDERR_FILENO) || (shown && now - drawn_ns < REDRAW_NS))
        return false;
    shown = true;
    drawn_ns = now;
    return true;
}

static void draw(const char *format, va_list arguments) {
    vfprintf(stderr, format, arguments);
    fputs("\033[K", stderr);
    fflush(stderr);
}

void progress_show(double part, const char *format, ...) {
    va_list arguments;
    if (!is_due())
        return;
    int filled = part < 0 ? 0 : part > 1 ? BAR_WIDTH : (int)(part * BAR_WIDTH);
    fprintf(stderr, "\r[%.*s%*s] ", filled, "##############################", BAR_WIDTH - filled,
            "");
    va_start(arguments, format);
    draw(format, arguments);
    va_end(arguments);
}

void progress_say(const char *format, ...) {
    va_list arguments;
    if (!is_due())
        return;
    fputc('\r', stderr);
    va_start(arguments, format);
    draw(format, arguments);
    va_end(arguments);
}

void progress_end(void) {
    if (shown)
        fputs("\r\033[K", stderr);
    shown = false;
}
