/* Whoever checks a trace as it is made wants the options of `check`, all of them, and the same. */
#include "harness/cli/check_options.h"

#include <string.h>

enum {
    OPTION_FAIL_ON = 512,
    OPTION_STRICT,
    OPTION_SUPPRESSIONS,
    OPTION_BASELINE,
    OPTION_UPDATE_BASELINE,
    OPTION_ALL,
    OPTION_COLOR,
    OPTION_JSON
};

const struct argp_option check_options[] = {
    {"fail-on", OPTION_FAIL_ON, "SEVERITY", 0,
     "Exit status 1 from this severity on: error (default), hazard (or warning), or never", 0},
    {"strict", OPTION_STRICT, NULL, 0,
     "Exit status 3 if nothing was found, but the evidence is incomplete", 0},
    {"suppressions", OPTION_SUPPRESSIONS, "FILE", 0,
     "Leave out the findings that a line of this file matches", 0},
    {"baseline", OPTION_BASELINE, "FILE", 0,
     "Only count the findings that stand in this file: they are known", 0},
    {"update-baseline", OPTION_UPDATE_BASELINE, NULL, 0,
     "Write the findings into the file of --baseline, in place of those there", 0},
    {"verbose", 'v', NULL, 0,
     "Both calls in full, all that is known of them, and the processes above", 0},
    {"all", OPTION_ALL, NULL, 0, "Each finding by itself, also those like one before", 0},
    {"color", OPTION_COLOR, "WHEN", OPTION_ARG_OPTIONAL,
     "Colour: auto (default: on a terminal, unless NO_COLOR is set), always or never", 0},
    {"json", OPTION_JSON, "FILE", OPTION_ARG_OPTIONAL,
     "One JSON object on standard output instead of the text, or in a file beside it", 0},
    {0}};

const char *check_options_name(int key) {
    const struct argp_option *option = check_options;
    while (option->name != NULL && option->key != key)
        option++;
    return option->name;
}

static bool take_fail_on(struct check_request *request, const struct option_value *value) {
    static const struct {
        const char *name;
        enum fail_on fail_on;
    } names[] = {{"error", FAIL_ON_ERROR},
                 {"hazard", FAIL_ON_HAZARD},
                 {"warning", FAIL_ON_HAZARD}, /* as the report heads a hazard */
                 {"never", FAIL_ON_NEVER}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(value->text, names[i].name) == 0) {
            request->fail_on = names[i].fail_on;
            return true;
        }
    return option_wrong(value, "must be error, hazard (or warning), or never");
}

static bool take_color(struct check_request *request, const struct option_value *value) {
    request->colour = COLOUR_ALWAYS;
    return value->text == NULL || colour_read(value->text, &request->colour) ||
           option_wrong(value, "must be auto, always or never");
}

static bool take_file(const char **file, const struct option_value *value) {
    *file = value->text;
    return *value->text != '\0' || option_wrong(value, "must not be empty");
}

bool check_options_take(struct check_request *request, const struct option_value *value) {
    switch (value->key) {
    case OPTION_FAIL_ON:
        return take_fail_on(request, value);
    case OPTION_STRICT:
        return request->strict = true;
    case OPTION_SUPPRESSIONS:
        return take_file(&request->suppressions, value);
    case OPTION_BASELINE:
        return take_file(&request->baseline, value);
    case OPTION_UPDATE_BASELINE:
        return request->update_baseline = true;
    case 'v':
        return request->verbose = true;
    case OPTION_ALL:
        return request->all = true;
    case OPTION_COLOR:
        return take_color(request, value);
    default:
        request->json = true;
        request->json_file = NULL; /* the last one counts */
        return value->text == NULL || take_file(&request->json_file, value);
    }
}

const char *check_options_problem(const struct check_request *request) {
    return request->update_baseline && request->baseline == NULL
               ? "option '--update-baseline' needs '--baseline'"
               : NULL;
}
