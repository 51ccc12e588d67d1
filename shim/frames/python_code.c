/*
 * Decided by the file's name alone: to ask sysconfig or importlib would run Python code. The
 * interpreter's own names are in angle brackets, and so are those of code that has no file: what
 * was given to -c, typed, or written in a doctest is the user's.
 */
#include "shim/frames/python_code.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "shim/frames/folders.h"

/* Below site-packages, or in the standard library. */
static const char *const frameworks[] = {
    "_pytest",  "pytest",     "py",      "pluggy",   "unittest",  "unittest2", "xdist",  "execnet",
    "pytest_*", "hypothesis", "nose",    "nose2",    "testtools", "tox",       "behave", "robot",
    "ward",     "green",      "doctest", "coverage", "trial",     NULL};
/* Scripts that start them. */
static const char *const runners[] = {"pytest", "py.test", "nosetests", "nose2", "tox",
                                      "behave", "robot",   "coverage",  "trial", NULL};
static const char *const installed[] = {"site-packages", "dist-packages"};
static const char *const archives[] = {".egg/", ".whl/"};

/* "python3.11/" or "python311.zip/", and what stands behind it. */
static const char *behind_version(const char *path) {
    if (strncmp(path, "python3", 7) != 0 || path[7] == '/')
        return NULL;
    path += 7 + strspn(path + 7, ".0123456789t");
    if (strncmp(path, "zip/", 4) == 0)
        return path + 4;
    return *path == '/' ? path + 1 : NULL;
}

/* The path below the standard library's folder, NULL where it is not in it. */
static const char *in_standard_library(const char *file) {
    static const char *const libraries[] = {"lib", "lib64", "Lib"};
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        const char *below = path_behind(file, libraries[i]);
        below = below != NULL ? behind_version(below) : NULL;
        if (below != NULL)
            return below;
    }
    return NULL;
}

static enum pw_frame_of of_package(const char *below, enum pw_frame_of otherwise) {
    return path_is_of(below, frameworks) ? PW_FRAME_FRAMEWORK : otherwise;
}

static enum pw_frame_of of_generated(const char *name) {
    static const char *const generated[] = {"<frozen *", "<attrs generated *", "<__array_*",
                                            "<decorator-gen*", NULL};
    return path_is_of(name, generated) ? PW_FRAME_LIBRARY : PW_FRAME_USER;
}

static bool is_runner(const char *file) {
    const char *name = path_file(file);
    return path_is_of(name, runners) && path_behind(file, "bin") == name;
}

enum pw_frame_of python_code_of(const char *file) {
    if (*file == '<')
        return of_generated(file);
    for (size_t i = 0; i < sizeof installed / sizeof *installed; i++) {
        const char *below = path_behind(file, installed[i]);
        if (below != NULL)
            return of_package(below, PW_FRAME_DEPENDENCY);
    }
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++)
        if (strstr(file, archives[i]) != NULL)
            return PW_FRAME_DEPENDENCY;
    const char *below = in_standard_library(file);
    if (below != NULL)
        return of_package(below, PW_FRAME_LIBRARY);
    return is_runner(file) ? PW_FRAME_FRAMEWORK : PW_FRAME_USER;
}
