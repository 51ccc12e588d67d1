/* Texts in quotation marks, as Go writes them. */
#ifndef PORTWITNESS_KIND_QUOTED_H
#define PORTWITNESS_KIND_QUOTED_H

/* What %q of Go's fmt makes of the text, to be freed. */
char *quoted(const char *text);

#endif
