/* Members are found among the kernel's types, in structures without a name as well, and none where
 * the types are cut or damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <linux/btf.h>

#include "harness/capture/kernel_offsets.h"

enum { TYPES_BYTES = 4096, FIRST_OFFSET = 8 };

/* The types as they are written; the strings stand behind them in the end. */
struct types {
    unsigned char bytes[TYPES_BYTES];
    size_t size;
    char strings[TYPES_BYTES];
    size_t strings_size;
    uint32_t numbers; /* of types so far */
};

static uint32_t text(struct types *types, const char *name) {
    uint32_t at = (uint32_t)types->strings_size;
    if (*name == '\0')
        return 0;
    strcpy(types->strings + at, name);
    types->strings_size += strlen(name) + 1;
    return at;
}

static void append(struct types *types, const void *bytes, size_t size) {
    memcpy(types->bytes + types->size, bytes, size);
    types->size += size;
}

/* A structure with these members, eight bytes each behind the first eight; `member` "" is one
 * without a name of type `inner`. */
static uint32_t structure(struct types *types, const char *name, uint32_t inner, unsigned count,
                          const char *const members[]) {
    struct btf_type type = {.name_off = text(types, name),
                            .info = BTF_KIND_STRUCT << 24 | count,
                            .size = FIRST_OFFSET + 8 * count};
    append(types, &type, sizeof type);
    for (unsigned i = 0; i < count; i++) {
        struct btf_member member = {.name_off = text(types, members[i]),
                                    .type = *members[i] == '\0' ? inner : 1,
                                    .offset = (FIRST_OFFSET + 8 * i) * 8};
        append(types, &member, sizeof member);
    }
    return ++types->numbers;
}

#define STRUCTURE(types, name, inner, ...)                                                         \
    structure(types, name, inner, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),          \
              (const char *[]){__VA_ARGS__})

static void begin(struct types *types) {
    *types = (struct types){.strings_size = 1};
    struct btf_type integer = {
        .name_off = text(types, "int"), .info = BTF_KIND_INT << 24, .size = 4};
    uint32_t encoding = 32;
    append(types, &integer, sizeof integer);
    append(types, &encoding, sizeof encoding);
    types->numbers = 1;
}

static void make(struct types *types, const char *last) {
    begin(types);
    uint32_t inner = STRUCTURE(types, "", 0, "mmap_base", "arg_start", "arg_end");
    STRUCTURE(types, "other", 0, "x", "y", "z", "stack");
    STRUCTURE(types, "task_struct", 0, "flags", "stack", "comm", "tgid", "mm", "real_parent",
              "start_boottime", "group_leader", "thread_pid", "cgroups");
    STRUCTURE(types, "mm_struct", inner, "mm_count", "");
    STRUCTURE(types, "linux_binprm", 0, "interp");
    STRUCTURE(types, "pid", 0, "level", "numbers");
    STRUCTURE(types, "pid_namespace", 0, "ns");
    STRUCTURE(types, "css_set", 0, "dfl_cgrp");
    STRUCTURE(types, "cgroup", 0, "self", "kn");
    STRUCTURE(types, "cgroup_subsys_state", 0, "parent");
    STRUCTURE(types, "kernfs_node", 0, "id");
    STRUCTURE(types, "ns_common", 0, last);
}

/* What stands in /sys/kernel/btf/vmlinux, in memory of its own, so that a checker sees a read
 * beyond it. */
static unsigned char *written(const struct types *types, size_t *size) {
    struct btf_header header = {.magic = BTF_MAGIC,
                                .version = BTF_VERSION,
                                .hdr_len = sizeof header,
                                .type_len = (uint32_t)types->size,
                                .str_off = (uint32_t)types->size,
                                .str_len = (uint32_t)types->strings_size};
    *size = sizeof header + types->size + types->strings_size;
    unsigned char *bytes = malloc(*size);
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, types->bytes, types->size);
    memcpy(bytes + sizeof header + types->size, types->strings, types->strings_size);
    return bytes;
}

static bool find(const unsigned char *bytes, size_t size, struct kernel_offsets *offsets) {
    unsigned char *copy = malloc(size + (size == 0));
    memcpy(copy, bytes, size);
    bool found = kernel_offsets_find(copy, size, offsets);
    free(copy);
    return found;
}

static bool is_nothing(const struct kernel_offsets *offsets) {
    const struct kernel_offsets none = {0};
    return memcmp(offsets, &none, sizeof none) == 0;
}

static void the_members_are_found(void **state) {
    (void)state;
    struct types types;
    struct kernel_offsets offsets;
    size_t size;
    make(&types, "inum");
    unsigned char *bytes = written(&types, &size);
    assert_true(find(bytes, size, &offsets));
    free(bytes);
    assert_int_equal(offsets.stack, FIRST_OFFSET + 8);
    assert_int_equal(offsets.thread_pid, FIRST_OFFSET + 8 * 8);
    assert_int_equal(offsets.interp, FIRST_OFFSET);
    assert_int_equal(offsets.numbers, FIRST_OFFSET + 8);
    /* In a structure without a name, which stands before the one that it is in. */
    assert_int_equal(offsets.arg_start, FIRST_OFFSET + 8 + FIRST_OFFSET + 8);
    assert_int_equal(offsets.arg_end, offsets.arg_start + 8);
}

static void where_one_is_missing_there_are_none(void **state) {
    (void)state;
    struct types types;
    struct kernel_offsets offsets;
    size_t size;
    make(&types, "number");
    unsigned char *bytes = written(&types, &size);
    assert_false(find(bytes, size, &offsets));
    assert_true(is_nothing(&offsets));
    free(bytes);
}

static void cut_types_have_none(void **state) {
    (void)state;
    struct types types;
    struct kernel_offsets offsets;
    size_t whole;
    make(&types, "inum");
    unsigned char *bytes = written(&types, &whole);
    for (size_t size = 0; size < whole; size++) {
        assert_false(find(bytes, size, &offsets));
        assert_true(is_nothing(&offsets));
    }
    free(bytes);
}

/* Whatever stands there, nothing beyond the types is read. */
static void damaged_types_are_survived(void **state) {
    (void)state;
    struct types types;
    struct kernel_offsets offsets;
    size_t size;
    make(&types, "inum");
    unsigned char *bytes = written(&types, &size);
    for (size_t at = 0; at < size; at++)
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            bytes[at] ^= (unsigned char)bit;
            find(bytes, size, &offsets);
            bytes[at] ^= (unsigned char)bit;
        }
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_members_are_found),
        cmocka_unit_test(where_one_is_missing_there_are_none),
        cmocka_unit_test(cut_types_have_none),
        cmocka_unit_test(damaged_types_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
