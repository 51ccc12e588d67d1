/* The name of a function as its language writes it. */
#ifndef PORTWITNESS_CHECK_SYMBOL_NAME_H
#define PORTWITNESS_CHECK_SYMBOL_NAME_H

/* From the name that the linker knows, to be freed: "ns::Server<int>::start()". NULL where it is
 * not C++'s (or as Rust has long written its own), or cannot be read. */
char *symbol_name(const char *linked);

#endif
