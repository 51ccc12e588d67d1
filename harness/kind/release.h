/* Kind's releases and the rules by which they check port mappings. */
#ifndef PORTWITNESS_KIND_RELEASE_H
#define PORTWITNESS_KIND_RELEASE_H

#include <stdbool.h>
#include <stddef.h>

#define KIND_RELEASE_TEXT_SIZE 40

struct kind_release {
    unsigned major;
    unsigned minor;
    unsigned patch;
};

/* Releases from `first` until the next row's follow one rule. */
struct kind_rule {
    struct kind_release first;
    struct kind_release last; /* that was released; of the last row the newest known */
    bool refuses_no_protocol;
    bool refuses_minus_one;
    bool compares;         /* refuses a second mapping of one number, protocol and address */
    bool compares_picks;   /* also where the number is 0 or -1 */
    bool checks_addresses; /* an empty one is 0.0.0.0, one that does not parse is refused */
};

extern const struct kind_rule kind_rules[];
extern const size_t kind_rule_count;

/* The newest release that is known. */
struct kind_release kind_release_newest(void);

/* Reads "vX.Y.Z", the v being optional. false if the text is not one, or is a release that does not
 * read files of apiVersion kind.x-k8s.io/v1alpha4 (before v0.6.0). */
bool kind_release_read(const char *text, struct kind_release *release);

/* Below 0, 0 or above 0 as `a` is older, the same or newer. */
int kind_release_compare(const struct kind_release *a, const struct kind_release *b);

/* The rule of a release; one that is newer than all known follows the newest rule. */
const struct kind_rule *kind_rule_of(const struct kind_release *release);

/* Since v0.22.0 Kind keeps its probes of free ports until a node's mappings all have numbers. */
bool kind_release_keeps_probes(const struct kind_release *release);

/* "v0.32.0". Returns `text`. */
const char *kind_release_text(char text[KIND_RELEASE_TEXT_SIZE],
                              const struct kind_release *release);

#endif
