/* Broken programs: whatever a file holds, looking at it ends, with one of the known answers. */
#include "shim/shared/program_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/program_image.h"

/* A broken program is still a program; what is said of it must be one of the known answers. */
static struct program_facts inspect_bytes(int fd, const void *bytes, size_t size) {
    struct program_facts facts;
    memset(&facts, 0xff, sizeof facts);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, bytes, size, 0), size);
    assert_true(program_inspect_descriptor(fd, &facts));
    assert_true(facts.obstacle == 0 || facts.obstacle == PW_BLIND_STATIC ||
                facts.obstacle == PW_BLIND_ARCHITECTURE || facts.obstacle == PW_BLIND_OWN_CALLS);
    assert_non_null(memchr(facts.sanitizer, '\0', sizeof facts.sanitizer));
    return facts;
}

static struct image sanitized_go(void) {
    struct image image = ordinary();
    strcpy(image.names + SECOND_NAME, "libasan.so.8");
    memcpy(image.note[1].owner, "Go\0", 4);
    return image;
}

static void a_program_cut_anywhere_is_looked_at_as_far_as_it_goes(void **state) {
    (void)state;
    struct image image = sanitized_go();
    size_t size = offsetof(struct image, names) + SECOND_NAME + sizeof "libasan.so.8";
    int fd = memfd_create("cut", MFD_CLOEXEC);
    for (size_t length = 0; length < size; length++) {
        struct program_facts facts = inspect_bytes(fd, &image, length);
        /* Nothing is concluded before the segments are there, and nothing wrong afterwards. */
        bool notes = length >= offsetof(struct image, dynamic) - sizeof image.note[1].text;
        assert_int_equal(facts.obstacle, notes ? PW_BLIND_OWN_CALLS : 0);
        assert_memory_equal("libasan.so.8", facts.sanitizer, strlen(facts.sanitizer));
    }
    assert_string_equal(inspect_bytes(fd, &image, size).sanitizer, "libasan.so.8");
    close(fd);
}

static void no_byte_can_be_so_wrong_that_looking_fails(void **state) {
    (void)state;
    static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
    int fd = memfd_create("wrong", MFD_CLOEXEC);
    for (size_t at = SELFMAG; at < offsetof(struct image, names); at++)
        for (size_t i = 0; i < sizeof values; i++) {
            struct image image = sanitized_go();
            ((unsigned char *)&image)[at] = values[i];
            inspect_bytes(fd, &image, sizeof image);
        }
    close(fd);
}

static void random_tables_are_no_harm(void **state) {
    (void)state;
    uint32_t number = 20240229;
    int fd = memfd_create("random", MFD_CLOEXEC);
    for (int round = 0; round < 2000; round++) {
        struct image image = sanitized_go();
        size_t from = round % 2 == 0 ? SELFMAG : offsetof(struct image, segment);
        for (size_t at = from; at < sizeof image; at++) {
            number = number * 1664525u + 1013904223u;
            if (round % 4 < 2 || number >> 28 == 0)
                ((unsigned char *)&image)[at] = (unsigned char)(number >> 16);
        }
        inspect_bytes(fd, &image, sizeof image);
    }
    close(fd);
}

/* More segments than are kept; all are there in the file. */
static void a_table_may_be_of_any_length(void **state) {
    (void)state;
    enum { MOST = 2000 };
    struct {
        struct image image;
        ElfW(Phdr) table[MOST];
    } *program = calloc(1, sizeof *program);
    assert_non_null(program);
    int fd = memfd_create("long", MFD_CLOEXEC);
    for (unsigned count = 0; count <= MOST; count += count < 40 ? 1 : 196) {
        program->image = sanitized_go();
        program->image.header.e_phoff = sizeof program->image;
        program->image.header.e_phnum = (uint16_t)count;
        for (unsigned i = 0; i < MOST; i++)
            program->table[i] = program->image.segment[i % SEGMENTS];
        struct program_facts facts = inspect_bytes(fd, program, sizeof *program);
        if (count >= SEGMENTS)
            assert_int_equal(facts.obstacle, PW_BLIND_OWN_CALLS);
    }
    close(fd);
    free(program);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_cut_anywhere_is_looked_at_as_far_as_it_goes),
        cmocka_unit_test(no_byte_can_be_so_wrong_that_looking_fails),
        cmocka_unit_test(a_table_may_be_of_any_length),
        cmocka_unit_test(random_tables_are_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
