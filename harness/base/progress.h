/* How far something long has come, on standard error if that is a terminal. */
#ifndef PORTWITNESS_BASE_PROGRESS_H
#define PORTWITNESS_BASE_PROGRESS_H

/* Shows a bar, `part` (0 to 1) of it filled, and the text behind it. */
void progress_show(double part, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Shows the text alone, where nobody knows how long it takes. */
void progress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Takes away what is shown. */
void progress_end(void);

#endif
