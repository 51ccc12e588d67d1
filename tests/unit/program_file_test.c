/* What is said of a program file before it starts: which can be entered, and which cannot and
 * why. */
#include "shim/shared/program_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/program_image.h"

enum { NOBODY = 65534 };

static char folder[] = "/tmp/program-test-XXXXXX";

static const char *in_folder(const char *name) {
    static char paths[32][4096];
    static unsigned next;
    char *path = paths[next++ % 32];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const char *write_file(const char *name, const void *bytes, size_t size, mode_t mode) {
    const char *path = in_folder(name);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static const char *write_program(const char *name, const struct image *image) {
    return write_file(name, image, sizeof *image, 0755);
}

/* `form` holds one %s, the interpreter. */
static const char *write_script(const char *name, const char *form, const char *interpreter) {
    char text[4200];
    int length = snprintf(text, sizeof text, form, interpreter);
    return write_file(name, text, (size_t)length, 0755);
}

static struct program_facts facts_of(const char *path) {
    struct program_facts facts;
    memset(&facts, 0xff, sizeof facts);
    assert_true(program_inspect(path, NULL, &facts));
    assert_string_equal(facts.path, path);
    return facts;
}

static int obstacle_of(const struct image *image) {
    return facts_of(write_program("program", image)).obstacle;
}

static void an_ordinary_program_can_be_entered(void **state) {
    (void)state;
    struct image image = ordinary();
    struct program_facts facts = facts_of(write_program("program", &image));
    assert_int_equal(facts.obstacle, 0);
    assert_string_equal(facts.sanitizer, "");
    facts = facts_of("/bin/sh");
    assert_int_equal(facts.obstacle, 0);
    assert_string_equal(facts.sanitizer, "");
}

static void a_program_without_a_loader_is_static(void **state) {
    (void)state;
    struct image image = ordinary();
    image.segment[INTERPRETER].p_type = PT_NULL;
    assert_int_equal(obstacle_of(&image), PW_BLIND_STATIC);
    image.segment[DYNAMIC].p_type = PT_NULL; /* static-pie has one, static has none */
    assert_int_equal(obstacle_of(&image), PW_BLIND_STATIC);
}

static void another_machine_word_size_or_libc_is_foreign(void **state) {
    (void)state;
    struct image image = ordinary();
    image.header.e_machine = FOREIGN_MACHINE;
    assert_int_equal(obstacle_of(&image), PW_BLIND_ARCHITECTURE);
    image = ordinary();
    image.header.e_ident[EI_CLASS] = ELFCLASS32;
    assert_int_equal(obstacle_of(&image), PW_BLIND_ARCHITECTURE);
    image = ordinary();
    strcpy(image.loader, "/lib/ld-musl-x86_64.so.1");
    assert_int_equal(obstacle_of(&image), PW_BLIND_ARCHITECTURE);
}

static void a_go_program_makes_its_own_calls(void **state) {
    (void)state;
    struct image image = ordinary();
    memcpy(image.note[0].owner, "Go\0", 4);
    assert_int_equal(obstacle_of(&image), PW_BLIND_OWN_CALLS);
    image = ordinary();
    memcpy(image.note[1].owner, "Go\0", 4); /* behind another note */
    assert_int_equal(obstacle_of(&image), PW_BLIND_OWN_CALLS);
    image.note[0].header.n_descsz = 1; /* filled up to 4 */
    assert_int_equal(obstacle_of(&image), PW_BLIND_OWN_CALLS);
    image.segment[INTERPRETER].p_type = PT_NULL;
    assert_int_equal(obstacle_of(&image), PW_BLIND_STATIC);
    image = ordinary();
    memcpy(image.note[0].owner, "Gox", 4);
    assert_int_equal(obstacle_of(&image), 0);
}

static void a_sanitizers_runtime_is_named(void **state) {
    (void)state;
    static const char *const runtimes[] = {"libasan.so.8", "libtsan.so.2", "liblsan.so.0",
                                           "libhwasan.so.0", "libclang_rt.asan-x86_64.so"};
    static const char *const others[] = {"libubsan.so.1", "notlibasan.so.8", "libasan", ""};
    struct image image = ordinary();
    for (size_t i = 0; i < sizeof runtimes / sizeof *runtimes; i++)
        for (int at = FIRST_NAME; at <= SECOND_NAME; at += SECOND_NAME - FIRST_NAME) {
            image = ordinary();
            strcpy(image.names + at, runtimes[i]);
            struct program_facts facts = facts_of(write_program("program", &image));
            assert_string_equal(facts.sanitizer, runtimes[i]);
            assert_int_equal(facts.obstacle, 0);
        }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        image = ordinary();
        strcpy(image.names + SECOND_NAME, others[i]);
        assert_string_equal(facts_of(write_program("program", &image)).sanitizer, "");
    }
    image = ordinary();
    memset(image.names + SECOND_NAME, 'x', sizeof image.names - SECOND_NAME);
    memcpy(image.names + SECOND_NAME, "libasan.so", 10); /* longer than any name, never ended */
    struct program_facts facts = facts_of(write_program("program", &image));
    assert_int_equal(strlen(facts.sanitizer), sizeof facts.sanitizer - 1);
}

static void a_script_is_what_its_interpreter_is(void **state) {
    (void)state;
    static const char *const forms[] = {"#!%s\n", "#! \t%s -x\n:\n", "#!%s", "#!%s\t-u\n"};
    struct image image = ordinary();
    strcpy(image.names + FIRST_NAME, "libasan.so.8");
    const char *sanitized = write_program("sanitized", &image);
    image.segment[INTERPRETER].p_type = PT_NULL;
    const char *unseen = write_program("static", &image);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct program_facts facts = facts_of(write_script("script", forms[i], sanitized));
        assert_int_equal(facts.obstacle, 0);
        assert_string_equal(facts.sanitizer, "libasan.so.8");
        facts = facts_of(write_script("script", forms[i], unseen));
        assert_int_equal(facts.obstacle, PW_BLIND_STATIC);
    }
}

static void a_chain_of_interpreters_is_followed_to_its_end(void **state) {
    (void)state;
    struct image image = ordinary();
    image.segment[INTERPRETER].p_type = PT_NULL;
    const char *inner = write_script("inner", "#!%s\n", write_program("static", &image));
    const char *middle = write_script("middle", "#!%s\n", inner);
    assert_int_equal(facts_of(write_script("outer", "#!%s\n", middle)).obstacle, PW_BLIND_STATIC);
    write_script("circle", "#!%s\n", in_folder("circle"));
    assert_int_equal(facts_of(in_folder("circle")).obstacle, 0);
}

static void a_script_that_leads_nowhere_has_no_known_obstacle(void **state) {
    (void)state;
    char name[300];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(facts_of(write_script("script", "#!%s\n", "/nonexistent/sh")).obstacle, 0);
    assert_int_equal(facts_of(write_script("script", "#!%s\n", "")).obstacle, 0);
    assert_int_equal(facts_of(write_script("script", "#!%s\n", "/")).obstacle, 0);
    assert_int_equal(facts_of(write_script("script", "#!/%s\n", name)).obstacle, 0);
    assert_int_equal(facts_of(write_file("script", "#!", 2, 0755)).obstacle, 0);
    assert_int_equal(facts_of(write_file("script", "", 0, 0755)).obstacle, 0);
    assert_int_equal(facts_of(write_file("script", "echo", 4, 0755)).obstacle, 0);
}

/* Inspects `path` as a user without rights. */
static int obstacle_for_nobody(const char *path) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct program_facts facts;
        if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(100);
        _exit(program_inspect(path, NULL, &facts) ? facts.obstacle : 101);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void needs_root(void) {
    if (geteuid() != 0) {
        print_message("only root can give files away\n");
        skip();
    }
}

static void a_program_with_anothers_rights_is_set_id(void **state) {
    (void)state;
    needs_root();
    struct image image = ordinary();
    const char *path = write_program("program", &image);
    assert_int_equal(chmod(path, 04755), 0);
    assert_int_equal(facts_of(path).obstacle, 0); /* our own */
    assert_int_equal(obstacle_for_nobody(path), PW_BLIND_SETUID);
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(path, 04755), 0);
    assert_int_equal(facts_of(path).obstacle, PW_BLIND_SETUID);
    assert_int_equal(obstacle_for_nobody(path), 0);
    assert_int_equal(chmod(path, 02755), 0);
    assert_int_equal(facts_of(path).obstacle, PW_BLIND_SETUID);
    assert_int_equal(obstacle_for_nobody(path), 0);
    assert_int_equal(chmod(path, 02745), 0); /* without group execution the bit means locking */
    assert_int_equal(facts_of(path).obstacle, 0);
}

static void bits_of_a_script_count_for_nothing_those_of_its_interpreter_do(void **state) {
    (void)state;
    needs_root();
    struct image image = ordinary();
    const char *interpreter = write_program("interpreter", &image);
    const char *script = write_script("script", "#!%s\n", interpreter);
    assert_int_equal(chown(script, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(script, 04755), 0);
    assert_int_equal(facts_of(script).obstacle, 0);
    assert_int_equal(chown(interpreter, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(interpreter, 04755), 0);
    assert_int_equal(facts_of(script).obstacle, PW_BLIND_SETUID);
}

static void file_capabilities_count_for_all_but_root(void **state) {
    (void)state;
    needs_root();
    struct image image = ordinary();
    const char *path = write_program("program", &image);
    /* struct vfs_cap_data, revision 2: effective, CAP_NET_BIND_SERVICE permitted. */
    const uint32_t capabilities[5] = {0x02000001, 1u << 10, 0, 0, 0};
    if (setxattr(path, "security.capability", capabilities, sizeof capabilities, 0) != 0) {
        print_message("no file capabilities in %s\n", folder);
        skip();
    }
    assert_int_equal(facts_of(path).obstacle, 0);
    assert_int_equal(obstacle_for_nobody(path), PW_BLIND_SETUID);
}

static void what_may_be_run_but_not_read_is_unreadable(void **state) {
    (void)state;
    needs_root();
    struct image image = ordinary();
    const char *path = write_program("program", &image);
    assert_int_equal(chmod(path, 0711), 0);
    assert_int_equal(facts_of(path).obstacle, 0);
    assert_int_equal(obstacle_for_nobody(path), PW_BLIND_UNREADABLE);
    const char *script = write_script("script", "#!%s\n", path);
    assert_int_equal(obstacle_for_nobody(script), PW_BLIND_UNREADABLE);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(obstacle_for_nobody(path), 101);
}

static void what_cannot_be_executed_is_refused_by_name(void **state) {
    (void)state;
    struct image image = ordinary();
    struct program_facts facts;
    const char *plain = write_file("plain", &image, sizeof image, 0644);
    const char *const names[] = {plain, folder, in_folder("missing"), in_folder("plain/x"), ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(program_inspect(names[i], NULL, &facts));
        assert_string_equal(facts.path, names[i]);
        assert_int_equal(facts.obstacle, 0);
    }
    assert_false(program_inspect(NULL, "/bin", &facts));
    assert_string_equal(facts.path, "");
}

static void found_at(const char *name, const char *search_path, const char *path) {
    struct program_facts facts;
    bool found = program_inspect(name, search_path, &facts);
    assert_string_equal(facts.path, path != NULL ? path : name);
    assert_int_equal(found, path != NULL);
}

static void a_bare_name_is_looked_for_as_execvp_does(void **state) {
    (void)state;
    char first[64], second[64], list[4600], before[4096];
    struct image image = ordinary();
    snprintf(first, sizeof first, "%s", in_folder("first"));
    snprintf(second, sizeof second, "%s", in_folder("second"));
    assert_int_equal(mkdir(first, 0755), 0);
    assert_int_equal(mkdir(second, 0755), 0);
    write_file("first/tool", &image, sizeof image, 0644); /* may not be executed: goes on */
    write_file("second/tool", &image, sizeof image, 0755);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(second), 0);
    snprintf(list, sizeof list, "%s:/nonexistent:%s", first, second);
    found_at("tool", list, in_folder("second/tool"));
    found_at("other", list, NULL);
    found_at("tool", "/nonexistent", NULL);
    found_at("tool", "", "./tool"); /* an empty element is the current folder */
    found_at("tool", ":/nonexistent", "./tool");
    found_at("tool", "/nonexistent:", "./tool");
    found_at("tool", NULL, "tool"); /* no list: a path as it stands */
    found_at("./tool", first, "./tool");
    found_at("second/tool", list, NULL);
    memset(list, 'x', 4200); /* an element too long for any path is passed over */
    snprintf(list + 4200, sizeof list - 4200, ":%s", second);
    found_at("tool", list, in_folder("second/tool"));
    assert_int_equal(chmod(in_folder("first/tool"), 0755), 0);
    snprintf(list, sizeof list, "%s:%s", first, second);
    found_at("tool", list, in_folder("first/tool"));
    assert_int_equal(chdir(before), 0);
}

static void an_open_program_is_examined_under_the_kernels_name_for_it(void **state) {
    (void)state;
    struct image image = ordinary();
    struct program_facts facts;
    image.segment[INTERPRETER].p_type = PT_NULL;
    const char *path = write_program("program", &image);
    const char *paths[] = {path, write_script("script", "#!%s\n", path)};
    for (int i = 0; i < 2; i++) {
        int fd = open(paths[i], (i == 0 ? O_PATH : O_RDONLY) | O_CLOEXEC);
        assert_true(program_inspect_descriptor(fd, &facts));
        assert_int_equal(facts.obstacle, PW_BLIND_STATIC);
        assert_string_equal(facts.path, paths[i]);
        assert_true(i == 0 || lseek(fd, 0, SEEK_CUR) == 0);
        close(fd);
    }
    assert_false(program_inspect_descriptor(-1, &facts));
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : chmod(folder, 0755);
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"program",     "script",     "static",      "sanitized",
                                        "inner",       "middle",     "outer",       "circle",
                                        "interpreter", "first/tool", "second/tool", "plain"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_folder(names[i]));
    rmdir(in_folder("first"));
    rmdir(in_folder("second"));
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_program_can_be_entered),
        cmocka_unit_test(a_program_without_a_loader_is_static),
        cmocka_unit_test(another_machine_word_size_or_libc_is_foreign),
        cmocka_unit_test(a_go_program_makes_its_own_calls),
        cmocka_unit_test(a_sanitizers_runtime_is_named),
        cmocka_unit_test(a_script_is_what_its_interpreter_is),
        cmocka_unit_test(a_chain_of_interpreters_is_followed_to_its_end),
        cmocka_unit_test(a_script_that_leads_nowhere_has_no_known_obstacle),
        cmocka_unit_test(a_program_with_anothers_rights_is_set_id),
        cmocka_unit_test(bits_of_a_script_count_for_nothing_those_of_its_interpreter_do),
        cmocka_unit_test(file_capabilities_count_for_all_but_root),
        cmocka_unit_test(what_may_be_run_but_not_read_is_unreadable),
        cmocka_unit_test(what_cannot_be_executed_is_refused_by_name),
        cmocka_unit_test(a_bare_name_is_looked_for_as_execvp_does),
        cmocka_unit_test(an_open_program_is_examined_under_the_kernels_name_for_it),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
