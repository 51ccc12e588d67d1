/* libbpf indexes all of the kernel's types before it answers one question, which takes longer than
 * to load the programs. A few structures are found sooner by going through them. */
#include "harness/capture/kernel_offsets.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/btf.h>

#include "harness/base/memory.h"

struct wanted {
    const char *structure, *member;
    size_t at; /* in struct kernel_offsets */
};

#define WANTED(structure, name)                                                                    \
    { #structure, #name, offsetof(struct kernel_offsets, name) }

static const struct wanted wanted[] = {
    WANTED(task_struct, stack),
    WANTED(task_struct, comm),
    WANTED(task_struct, tgid),
    WANTED(task_struct, mm),
    WANTED(task_struct, real_parent),
    WANTED(task_struct, start_boottime),
    WANTED(task_struct, group_leader),
    WANTED(task_struct, thread_pid),
    WANTED(task_struct, cgroups),
    WANTED(mm_struct, arg_start),
    WANTED(mm_struct, arg_end),
    WANTED(linux_binprm, interp),
    WANTED(pid, level),
    WANTED(pid, numbers),
    WANTED(pid_namespace, ns),
    WANTED(ns_common, inum),
    WANTED(css_set, dfl_cgrp),
    WANTED(cgroup, self),
    WANTED(cgroup, kn),
    WANTED(cgroup_subsys_state, parent),
    WANTED(kernfs_node, id),
};

enum { WANTED_COUNT = sizeof wanted / sizeof *wanted, INNER_MAX = 64, PASSES_MAX = 4 };

/* A structure without a name in one that is wanted: its members are the other's. */
struct inner {
    uint32_t type;   /* its number */
    uint32_t offset; /* in bytes */
    const char *structure;
};

struct search {
    const unsigned char *types, *end;
    const char *strings;
    size_t strings_size;
    struct kernel_offsets *offsets;
    uint32_t found; /* a bit for each that is wanted */
    struct inner inner[INNER_MAX];
    size_t inner_count;
};

static bool is_named(const struct search *search, uint32_t offset, const char *name) {
    size_t size = strlen(name) + 1;
    return offset < search->strings_size && search->strings_size - offset >= size &&
           memcmp(search->strings + offset, name, size) == 0;
}

/* Bytes behind a struct btf_type, by its kind. */
static size_t rest_of(const struct btf_type *type) {
    size_t count = BTF_INFO_VLEN(type->info);
    switch (BTF_INFO_KIND(type->info)) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
        return sizeof(uint32_t);
    case BTF_KIND_ARRAY:
        return sizeof(struct btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        return count * sizeof(struct btf_member);
    case BTF_KIND_ENUM:
        return count * sizeof(struct btf_enum);
    case BTF_KIND_ENUM64:
        return count * sizeof(struct btf_enum64);
    case BTF_KIND_FUNC_PROTO:
        return count * sizeof(struct btf_param);
    case BTF_KIND_DATASEC:
        return count * sizeof(struct btf_var_secinfo);
    default:
        return 0;
    }
}

static const char *structure_named(const struct search *search, uint32_t name) {
    const char *structure = NULL;
    for (size_t i = 0; i < WANTED_COUNT; i++) {
        if (wanted[i].structure == structure)
            continue;
        structure = wanted[i].structure;
        if (is_named(search, name, structure))
            return structure;
    }
    return NULL;
}

static void take_member(struct search *search, const char *structure, uint32_t name,
                        uint32_t offset) {
    for (size_t i = 0; i < WANTED_COUNT; i++)
        if (strcmp(wanted[i].structure, structure) == 0 && (search->found & 1u << i) == 0 &&
            is_named(search, name, wanted[i].member)) {
            memcpy((unsigned char *)search->offsets + wanted[i].at, &offset, sizeof offset);
            search->found |= 1u << i;
            return;
        }
}

/* `members` of a type, which begins `base` bytes into the structure. */
static void take_members(struct search *search, const char *structure, uint32_t base,
                         const unsigned char *members, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct btf_member member;
        memcpy(&member, members + i * sizeof member, sizeof member);
        uint32_t offset = base + BTF_MEMBER_BIT_OFFSET(member.offset) / 8;
        if (member.name_off != 0)
            take_member(search, structure, member.name_off, offset);
        else if (search->inner_count < INNER_MAX)
            search->inner[search->inner_count++] = (struct inner){member.type, offset, structure};
    }
}

static void take_type(struct search *search, uint32_t number, const struct btf_type *type,
                      const unsigned char *members) {
    unsigned kind = BTF_INFO_KIND(type->info);
    size_t count = BTF_INFO_VLEN(type->info);
    if (kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION)
        return;
    const char *structure = type->name_off != 0 ? structure_named(search, type->name_off) : NULL;
    if (structure != NULL)
        take_members(search, structure, 0, members, count);
    if (type->name_off != 0)
        return;
    for (size_t i = 0; i < search->inner_count; i++)
        if (search->inner[i].type == number)
            take_members(search, search->inner[i].structure, search->inner[i].offset, members,
                         count);
}

static bool is_complete(const struct search *search) {
    return search->found == (UINT32_C(1) << WANTED_COUNT) - 1;
}

static void pass(struct search *search) {
    const unsigned char *at = search->types;
    struct btf_type type;
    for (uint32_t number = 1; (size_t)(search->end - at) >= sizeof type && !is_complete(search);
         number++) {
        memcpy(&type, at, sizeof type);
        at += sizeof type;
        size_t rest = rest_of(&type);
        if ((size_t)(search->end - at) < rest)
            return;
        take_type(search, number, &type, at);
        at += rest;
    }
}

bool kernel_offsets_find(const unsigned char *types, size_t size, struct kernel_offsets *offsets) {
    struct btf_header header;
    *offsets = (struct kernel_offsets){0};
    if (size < sizeof header)
        return false;
    memcpy(&header, types, sizeof header);
    if (header.magic != BTF_MAGIC || header.hdr_len > size)
        return false;
    types += header.hdr_len;
    size -= header.hdr_len;
    if (header.type_off > size || header.type_len > size - header.type_off ||
        header.str_off > size || header.str_len > size - header.str_off)
        return false;
    struct search search = {.types = types + header.type_off,
                            .end = types + header.type_off + header.type_len,
                            .strings = (const char *)types + header.str_off,
                            .strings_size = header.str_len,
                            .offsets = offsets};
    /* The second pass finds what is in structures without a name that stand before the others. */
    for (unsigned i = 0; i < PASSES_MAX && !is_complete(&search); i++)
        pass(&search);
    if (!is_complete(&search))
        *offsets = (struct kernel_offsets){0};
    return is_complete(&search);
}

static bool read_whole(int file, size_t size, struct kernel_offsets *offsets) {
    unsigned char *types = memory_zeroed(size, 1);
    size_t have = 0;
    for (ssize_t got; have < size; have += (size_t)got) {
        got = read(file, types + have, size - have);
        if (got <= 0)
            break;
    }
    bool found = kernel_offsets_find(types, have, offsets);
    free(types);
    return found;
}

bool kernel_offsets_read(struct kernel_offsets *offsets) {
    bool found = false;
    struct stat status;
    *offsets = (struct kernel_offsets){0};
#ifndef __x86_64__
    return false;
#endif
    int file = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    if (fstat(file, &status) == 0 && status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        /* It can be mapped from 6.16 on, and then only what is looked at is read. */
        void *types = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        found = types != MAP_FAILED ? kernel_offsets_find(types, size, offsets)
                                    : read_whole(file, size, offsets);
        if (types != MAP_FAILED)
            munmap(types, size);
    }
    close(file);
    return found;
}
