/* libbpf indexes all of the kernel's types before it answers one question, which takes longer than
 * to load the programs. One structure is found sooner by going through them. */
#include "harness/capture/task_stack.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/btf.h>

#include "harness/base/memory.h"

struct type_data {
    const unsigned char *types, *end;
    const char *strings;
    size_t strings_size;
};

static bool is_named(const struct type_data *data, uint32_t offset, const char *name) {
    size_t size = strlen(name) + 1;
    return offset < data->strings_size && data->strings_size - offset >= size &&
           memcmp(data->strings + offset, name, size) == 0;
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

static uint32_t stack_member(const struct type_data *data, const unsigned char *members,
                             size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct btf_member member;
        memcpy(&member, members + i * sizeof member, sizeof member);
        if (is_named(data, member.name_off, "stack"))
            return BTF_MEMBER_BIT_OFFSET(member.offset) / 8;
    }
    return 0;
}

static uint32_t find(const struct type_data *data) {
    const unsigned char *at = data->types;
    struct btf_type type;
    while ((size_t)(data->end - at) >= sizeof type) {
        memcpy(&type, at, sizeof type);
        at += sizeof type;
        size_t rest = rest_of(&type);
        if ((size_t)(data->end - at) < rest)
            return 0;
        if (BTF_INFO_KIND(type.info) == BTF_KIND_STRUCT &&
            is_named(data, type.name_off, "task_struct"))
            return stack_member(data, at, BTF_INFO_VLEN(type.info));
        at += rest;
    }
    return 0;
}

uint32_t task_stack_offset_in(const unsigned char *types, size_t size) {
    struct btf_header header;
    if (size < sizeof header)
        return 0;
    memcpy(&header, types, sizeof header);
    if (header.magic != BTF_MAGIC || header.hdr_len > size)
        return 0;
    types += header.hdr_len;
    size -= header.hdr_len;
    if (header.type_off > size || header.type_len > size - header.type_off ||
        header.str_off > size || header.str_len > size - header.str_off)
        return 0;
    const struct type_data data = {.types = types + header.type_off,
                                   .end = types + header.type_off + header.type_len,
                                   .strings = (const char *)types + header.str_off,
                                   .strings_size = header.str_len};
    return find(&data);
}

static uint32_t read_whole(int file, size_t size) {
    unsigned char *types = memory_zeroed(size, 1);
    size_t have = 0;
    for (ssize_t got; have < size; have += (size_t)got) {
        got = read(file, types + have, size - have);
        if (got <= 0)
            break;
    }
    uint32_t offset = task_stack_offset_in(types, have);
    free(types);
    return offset;
}

uint32_t task_stack_offset(void) {
#ifndef __x86_64__
    return 0;
#endif
    uint32_t offset = 0;
    struct stat status;
    int file = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    if (fstat(file, &status) == 0 && status.st_size > 0) {
        size_t size = (size_t)status.st_size;
        /* It can be mapped from 6.16 on, and then only what is looked at is read. */
        void *types = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        offset = types != MAP_FAILED ? task_stack_offset_in(types, size) : read_whole(file, size);
        if (types != MAP_FAILED)
            munmap(types, size);
    }
    close(file);
    return offset;
}
