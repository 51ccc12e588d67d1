/* One row a rule. Read in kubernetes-sigs/kind at each release's tag:
 * pkg/internal/apis/config/validate.go, pkg/apis/config/v1alpha4/yaml.go and
 * pkg/cluster/internal/providers/common/getport.go. */
#include "harness/kind/release.h"

#include <stdint.h>
#include <stdio.h>

#include "harness/base/number.h"

enum { PART_MAX = 99999 };

const struct kind_rule kind_rules[] = {
    {.first = {0, 6, 0}, .last = {0, 6, 0}, .refuses_no_protocol = true, .refuses_minus_one = true},
    {.first = {0, 6, 1}, .last = {0, 7, 0}, .refuses_minus_one = true},
    {.first = {0, 8, 0}, .last = {0, 18, 0}},
    {.first = {0, 19, 0}, .last = {0, 21, 0}, .compares = true, .compares_picks = true},
    {.first = {0, 22, 0}, .last = {0, 31, 0}, .compares = true},
    {.first = {0, 32, 0}, .last = {0, 32, 0}, .compares = true, .checks_addresses = true},
};
const size_t kind_rule_count = sizeof kind_rules / sizeof *kind_rules;

struct kind_release kind_release_newest(void) {
    return kind_rules[kind_rule_count - 1].last;
}

static bool read_part(const char **text, unsigned *part) {
    uint64_t number = 0;
    bool good = read_digits(text, PART_MAX, &number);
    *part = (unsigned)number;
    return good;
}

bool kind_release_read(const char *text, struct kind_release *release) {
    text += *text == 'v';
    if (!read_part(&text, &release->major) || *text++ != '.' ||
        !read_part(&text, &release->minor) || *text++ != '.' ||
        !read_part(&text, &release->patch) || *text != '\0')
        return false;
    return kind_release_compare(release, &kind_rules[0].first) >= 0;
}

int kind_release_compare(const struct kind_release *a, const struct kind_release *b) {
    if (a->major != b->major)
        return a->major < b->major ? -1 : 1;
    if (a->minor != b->minor)
        return a->minor < b->minor ? -1 : 1;
    if (a->patch != b->patch)
        return a->patch < b->patch ? -1 : 1;
    return 0;
}

const struct kind_rule *kind_rule_of(const struct kind_release *release) {
    size_t i = kind_rule_count - 1;

    while (i > 0 && kind_release_compare(release, &kind_rules[i].first) < 0)
        i--;
    return &kind_rules[i];
}

bool kind_release_keeps_probes(const struct kind_release *release) {
    static const struct kind_release since = {0, 22, 0};

    return kind_release_compare(release, &since) >= 0;
}

const char *kind_release_text(char text[KIND_RELEASE_TEXT_SIZE],
                              const struct kind_release *release) {
    snprintf(text, KIND_RELEASE_TEXT_SIZE, "v%u.%u.%u", release->major, release->minor,
             release->patch);
    return text;
}
