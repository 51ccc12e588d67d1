/*
 * Memory of the guest that the kernel has not accepted yet is read by copies that can fail: a plain
 * load from a bad pointer would be our crash where the guest is to get its EFAULT. errno is left
 * alone; async-signal-safe; in a vfork child as well.
 */
#ifndef PORTWITNESS_SHARED_GUEST_MEMORY_H
#define PORTWITNESS_SHARED_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* What a page has at least: no copy of a text reaches over a multiple of this before it is known
 * that the text goes on there. */
#define GUEST_PAGE 4096u

/* false where it cannot be read, or the system calls for that are not available. */
bool guest_copy(void *into, const void *from, size_t size);

/* Several pieces, one behind the other; `size` is their sum. */
bool guest_copy_pieces(void *into, size_t size, const struct iovec *pieces, unsigned count);

/* A text with its NUL, cut where it is longer. Returns its length, `size` where it was cut, -1
 * where it cannot be read. */
long guest_copy_string(char *into, size_t size, const char *from);

/* Whether the guest's text begins with `text` and is no longer. */
bool guest_string_is(const char *from, const char *text);

/* Bytes from here to the end of the page. */
size_t guest_page_rest(const void *from);

#endif
