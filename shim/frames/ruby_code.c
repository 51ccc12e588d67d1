/*
 * Decided by the path alone: RbConfig and Gem are Ruby code, which must not run here. A gem's
 * folder has its version in its name, wherever it is installed; Debian puts the files of some gems
 * right into vendor_ruby, and Fedora the standard library into /usr/share/ruby.
 */
#include <stddef.h>
#include <string.h>

#include "shim/frames/folders.h"
#include "shim/frames/ruby.h"

enum { COMMIT_MIN = 7 };

/* Gems, and folders below vendor_ruby. */
static const char *const frameworks[] = {"minitest*", "rspec*",          "test-unit*", "test/unit*",
                                         "cucumber*", "rake*",           "shoulda*",   "guard*",
                                         "ci-queue*", "parallel_tests*", NULL};
/* Scripts that start them. */
static const char *const runners[] = {"rspec",    "rake",           "testrb", "minitest",
                                      "cucumber", "parallel_rspec", "guard",  NULL};
/* Of Ruby itself, where Debian has it beside packages. */
static const char *const library[] = {"rubygems", "bundler", NULL};

/* "NAME-1.2.3/", or "NAME-0123456789ab/" as bundler checks it out. */
static bool has_version(const char *folder) {
    const char *end = strchr(folder, '/');
    for (const char *at = folder; end != NULL && at < end; at++) {
        size_t digits = *at == '-' ? strspn(at + 1, "0123456789abcdef") : 0;
        if (digits > 0 && at[1] <= '9')
            return true;
        if (digits >= COMMIT_MIN && at + 1 + digits == end)
            return true;
    }
    return false;
}

static enum pw_frame_of of_package(const char *below) {
    return path_is_of(below, frameworks) ? PW_FRAME_FRAMEWORK : PW_FRAME_DEPENDENCY;
}

/* "lib/ruby/3.1.0/". */
static bool is_in_standard_library(const char *path) {
    static const char *const folders[] = {"lib/ruby", "lib64/ruby"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *below = path_behind(path, folders[i]);
        size_t version = below != NULL ? strspn(below, ".0123456789") : 0;
        if (version > 0 && below[version] == '/')
            return true;
    }
    return strncmp(path, "/usr/share/ruby/", 16) == 0;
}

static bool is_runner(const char *path) {
    const char *name = path_file(path);
    return path_is_of(name, runners) &&
           (path_behind(path, "bin") == name || path_behind(path, "exe") == name);
}

enum pw_frame_of ruby_code_of(const char *path) {
    static const char *const installed[] = {"vendor_ruby", "site_ruby"};
    const char *gem = path_behind(path, "gems");
    if (strncmp(path, "<internal:", 10) == 0)
        return PW_FRAME_LIBRARY;
    if (gem != NULL && has_version(gem))
        return of_package(gem);
    for (size_t i = 0; i < sizeof installed / sizeof *installed; i++) {
        const char *below = path_behind(path, installed[i]);
        if (below != NULL)
            return path_is_of(below, library) ? PW_FRAME_LIBRARY : of_package(below);
    }
    if (is_in_standard_library(path))
        return PW_FRAME_LIBRARY;
    return is_runner(path) ? PW_FRAME_FRAMEWORK : PW_FRAME_USER;
}
