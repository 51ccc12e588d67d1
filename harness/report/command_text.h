/* Command lines in the width that a line of a report has for them. */
#ifndef PORTWITNESS_REPORT_COMMAND_TEXT_H
#define PORTWITNESS_REPORT_COMMAND_TEXT_H

enum { COMMAND_TEXT_WIDTH = 60, COMMAND_TEXT_SIZE = COMMAND_TEXT_WIDTH + 16 };

/* The command; where it is too wide without the folders of absolute paths, then its beginning, and
 * from the rest what distinguishes it from `other` (which may be NULL), else its end. */
const char *command_text(const char *command, const char *other, char text[COMMAND_TEXT_SIZE]);

#endif
