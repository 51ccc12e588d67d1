/*
 * process_vm_readv(2) of oneself fails where a load would raise a signal. Profiles of older
 * container runtimes forbid it; then a pipe serves, whose write fails as well.
 */
#include "shim/shared/guest_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "shim/shared/raw_syscall.h"

size_t guest_page_rest(const void *from) { return GUEST_PAGE - (uintptr_t)from % GUEST_PAGE; }

/* On the page that we stand on ourselves. */
static bool is_on_stack(const void *from, size_t size) {
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0) / GUEST_PAGE;
    return (uintptr_t)from / GUEST_PAGE == here && size <= guest_page_rest(from);
}

/* So little fits into an empty pipe at once. */
static bool copy_by_pipe(char *into, const void *source, size_t size) {
    int ends[2];
    bool good = true;
    uintptr_t from = (uintptr_t)source; /* may wrap: the guest's pointer can be any number */
    if (raw_syscall3(SYS_pipe2, RAW(ends), O_CLOEXEC | O_NONBLOCK, 0) < 0)
        return false;
    while (good && size > 0) {
        const long step = (long)(size < GUEST_PAGE ? size : GUEST_PAGE);
        good = raw_syscall3(SYS_write, ends[1], (long)from, step) == step &&
               raw_syscall3(SYS_read, ends[0], RAW(into), step) == step;
        from += (uintptr_t)step;
        into += step;
        size -= (size_t)step;
    }
    raw_syscall3(SYS_close, ends[0], 0, 0);
    raw_syscall3(SYS_close, ends[1], 0, 0);
    return good;
}

static bool copy_pieces_by_pipe(char *into, const struct iovec *pieces, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (!copy_by_pipe(into, pieces[i].iov_base, pieces[i].iov_len))
            return false;
        into += pieces[i].iov_len;
    }
    return true;
}

bool guest_copy_pieces(void *into, size_t size, const struct iovec *pieces, unsigned count) {
    const struct iovec here = {into, size};
    /* Asked for each time: in a vfork child it is another one, and another process must not be
     * read. */
    long pid = raw_syscall3(SYS_getpid, 0, 0, 0);
    long got = pid <= 0 ? -EPERM
                        : raw_syscall6(SYS_process_vm_readv, pid, RAW(&here), 1, RAW(pieces),
                                       (long)count, 0);
    if (got >= 0 || got == -EFAULT)
        return got == (long)size;
    return copy_pieces_by_pipe(into, pieces, count);
}

/* No memcpy: that may be a sanitizer's in the guest, which knows where the guest's objects end; a
 * text is copied to the end of the page at first. */
__attribute__((no_sanitize("address"))) static void load(void *into, const void *from,
                                                         size_t size) {
    const volatile char *source = from;
    char *target = into;
    for (size_t i = 0; i < size; i++)
        target[i] = source[i];
}

bool guest_copy(void *into, const void *from, size_t size) {
    const struct iovec piece = {(void *)(uintptr_t)from, size};
    if (size == 0)
        return true;
    if (!is_on_stack(from, size))
        return guest_copy_pieces(into, size, &piece, 1);
    load(into, from, size);
    return true;
}

long guest_copy_string(char *into, size_t size, const char *from) {
    size_t done = 0;
    while (done < size) {
        /* A number and not a pointer: it may wrap. */
        const void *rest = (const void *)((uintptr_t)from + done);
        size_t step = guest_page_rest(rest);
        if (step > size - done)
            step = size - done;
        if (!guest_copy(into + done, rest, step))
            return -1;
        const char *end = memchr(into + done, '\0', step);
        if (end != NULL)
            return end - into;
        done += step;
    }
    into[size - 1] = '\0';
    return (long)size;
}

bool guest_string_is(const char *from, const char *text) {
    char part[128];
    size_t left = strlen(text) + 1;
    while (left > 0) {
        size_t step = left < sizeof part ? left : sizeof part;
        if (!guest_copy(part, from, step) || memcmp(part, text, step) != 0)
            return false;
        from += step;
        text += step;
        left -= step;
    }
    return true;
}
