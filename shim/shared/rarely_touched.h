/* For large tables that most programs never touch: they lie apart from the small variables, which
 * then share a few pages. Each page that a start touches costs it a fault. The linker sorts by
 * name, see the Makefile. */
#ifndef PORTWITNESS_SHARED_RARELY_TOUCHED_H
#define PORTWITNESS_SHARED_RARELY_TOUCHED_H

#define RARELY_TOUCHED __attribute__((section(".bss.rarely")))

#endif
