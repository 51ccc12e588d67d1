/*
 * The table answers "is this an IP socket?" for every close and dup of the guest, so it must cost
 * next to nothing and never allocate: a directory of blocks, mapped when a number first needs one.
 */
#include "shim/socket/descriptors.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include "shim/shared/rarely_touched.h"
#include "shim/shared/raw_syscall.h"

RARELY_TOUCHED static struct descriptor first_block[DESCRIPTOR_BLOCK];
RARELY_TOUCHED _Atomic(struct descriptor *) descriptor_blocks[DESCRIPTOR_BLOCKS];
static _Atomic int limit;

#define LOAD(field) atomic_load_explicit(&(field), memory_order_relaxed)
#define STORE(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

static struct descriptor *entry_of(int fd) {
    if (fd < 0 || fd >= DESCRIPTOR_BLOCK * DESCRIPTOR_BLOCKS)
        return NULL;
    struct descriptor *block =
        atomic_load_explicit(&descriptor_blocks[fd / DESCRIPTOR_BLOCK], memory_order_acquire);
    return block == NULL ? NULL : &block[fd % DESCRIPTOR_BLOCK];
}

static struct descriptor *make_entry(int fd) {
    struct descriptor *entry = entry_of(fd);
    if (entry != NULL || fd < 0 || fd >= DESCRIPTOR_BLOCK * DESCRIPTOR_BLOCKS)
        return entry;
    if (fd < DESCRIPTOR_BLOCK) {
        atomic_store_explicit(&descriptor_blocks[0], first_block, memory_order_release);
        return entry_of(fd);
    }
    const size_t size = sizeof(struct descriptor) * DESCRIPTOR_BLOCK;
    long block = raw_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block < 0 && block > -4096)
        return NULL;
    struct descriptor *expected = NULL;
    if (!atomic_compare_exchange_strong(&descriptor_blocks[fd / DESCRIPTOR_BLOCK], &expected,
                                        (struct descriptor *)block))
        raw_syscall3(SYS_munmap, block, (long)size, 0);
    return entry_of(fd);
}

static void copy_facts(const struct descriptor *entry, struct socket_facts *facts) {
    facts->netns = LOAD(entry->netns);
    facts->uid = LOAD(entry->uid);
    facts->device = LOAD(entry->device);
    facts->flags = LOAD(entry->flags);
    facts->port = LOAD(entry->port);
    facts->protocol = LOAD(entry->protocol);
    facts->family = LOAD(entry->family);
    facts->type = LOAD(entry->type);
}

bool descriptor_copy(int fd, struct socket_facts *facts) {
    const struct descriptor *entry = descriptor_find(fd);
    if (entry == NULL)
        return false;
    copy_facts(entry, facts);
    facts->cookie = LOAD(entry->cookie);
    return facts->cookie != 0;
}

bool descriptor_take(int fd, struct socket_facts *facts) {
    struct descriptor *entry = descriptor_find(fd);
    if (entry == NULL)
        return false;
    copy_facts(entry, facts);
    /* Of two threads that close one number, one records it. */
    facts->cookie = atomic_exchange_explicit(&entry->cookie, 0, memory_order_relaxed);
    return facts->cookie != 0;
}

void descriptor_set(int fd, const struct socket_facts *facts) {
    struct descriptor *entry = make_entry(fd);
    if (entry == NULL)
        return;
    STORE(entry->netns, facts->netns);
    STORE(entry->uid, facts->uid);
    STORE(entry->device, facts->device);
    STORE(entry->flags, facts->flags);
    STORE(entry->port, facts->port);
    STORE(entry->protocol, facts->protocol);
    STORE(entry->family, facts->family);
    STORE(entry->type, facts->type);
    STORE(entry->cookie, facts->cookie);
    int seen = LOAD(limit);
    while (seen <= fd && !atomic_compare_exchange_weak(&limit, &seen, fd + 1))
        ;
}

void descriptor_recorded(int fd) {
    struct descriptor *entry = descriptor_find(fd);
    if (entry != NULL)
        atomic_fetch_and_explicit(&entry->flags, ~DESCRIPTOR_UNRECORDED, memory_order_relaxed);
}

void descriptor_clear(int fd) {
    struct descriptor *entry = descriptor_find(fd);
    if (entry != NULL)
        STORE(entry->cookie, 0);
}

int descriptor_limit(void) { return LOAD(limit); }

bool descriptor_may_bind_by_send(int fd, int flags) {
    const struct descriptor *entry = descriptor_find(fd);
    if (entry == NULL || atomic_load_explicit(&entry->port, memory_order_relaxed) != 0 ||
        (atomic_load_explicit(&entry->flags, memory_order_relaxed) & DESCRIPTOR_NAMELESS) != 0)
        return false;
    return atomic_load_explicit(&entry->type, memory_order_relaxed) == SOCK_DGRAM ||
           (flags & MSG_FASTOPEN) != 0;
}
