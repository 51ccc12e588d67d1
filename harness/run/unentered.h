/* Programs of which the shim has said that it cannot enter them, and that nobody has seen yet. */
#ifndef PORTWITNESS_RUN_UNENTERED_H
#define PORTWITNESS_RUN_UNENTERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/shared/trace_format.h"

/* Zero-initialized there are none. */
struct unentered {
    struct unentered_program *list;
    size_t count;
    size_t room;
};

/* A program that was executed in `pid`, or is about to be: why the shim cannot enter it (enum
 * pw_blind), the serial of who executed it (0: `run`), from when on, and its path, which is copied.
 */
void unentered_add(struct unentered *unentered, uint32_t pid, unsigned reason, uint64_t process,
                   uint64_t since_ns, const char *path);

/* Is there one in that pid? */
bool unentered_has(const struct unentered *unentered, uint32_t pid);

/* The path of the one that may have run in that pid at that time; NULL: none. */
const char *unentered_since(const struct unentered *unentered, uint32_t pid, uint64_t ns);

/* What runs in that pid is seen: takes out what was said of it. Its path, to be freed; NULL where
 * nothing was said. */
char *unentered_take(struct unentered *unentered, uint32_t pid);

/* What was said of one pid is said of another one. */
void unentered_move(struct unentered *unentered, uint32_t from, uint32_t to);

/* Whether a program of that path has that name: the kernel's, of 15 bytes at most. */
bool unentered_is_named(const char *path, const char comm[16]);

/* The shim is in a process since then: what was said of it, because nobody could look
 * (PW_BLIND_UNEXAMINED), is void if it is that program. */
void unentered_reported(struct unentered *unentered, uint32_t pid, const char comm[16],
                        uint64_t ns);

/* Writes a blind spot for each that is left. */
void unentered_record(const struct unentered *unentered);

/* Frees all. */
void unentered_free(struct unentered *unentered);

#endif
