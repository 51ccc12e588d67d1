/* Of two tests in one suite neither knows of the other; whoever reads of a failure in the one has
 * to be told the name of the other first of all. */
#include "harness/report/finding_tests.h"

#include <string.h>

#include "harness/base/message.h"
#include "harness/base/test_name.h"
#include "harness/report/call_place.h"
#include "harness/report/finding_words.h"

/* The subject's test, `did`, the endpoint, who picked it, `before`, the other's test, `behind`. */
struct sentence {
    const char *did; /* NULL: there is none */
    const char *before;
    const char *behind;
};

static struct sentence sentence_of(const struct finding *finding) {
    switch (finding->kind) {
    case FINDING_LOST_RACE:
        return (struct sentence){"lost", " to", ""};
    case FINDING_RACE_WINDOW:
        return (struct sentence){"got", " though", " used it meanwhile"};
    case FINDING_DOUBLE_HAND_OUT:
        return (struct sentence){"was given", " as was", ""};
    case FINDING_ADDRESS_IN_USE:
        return (struct sentence){"was refused", " because", " had it"};
    case FINDING_REUSE_TRAP:
        return (struct sentence){"could not listen on", " because", " did"};
    case FINDING_STALE_PORT_CONNECT:
        return (struct sentence){"connected to", " and", " answered"};
    case FINDING_SHARED_PORT:
        return (struct sentence){"shares", " with", ""};
    case FINDING_COLLISION:
        return (struct sentence){"announced", " after", ""};
    default:
        return (struct sentence){NULL, NULL, NULL};
    }
}

bool finding_has_both_tests(const struct finding *finding) {
    return finding->marker != NULL && finding->other_marker != NULL &&
           finding->endpoint.protocol != 0 && sentence_of(finding).did != NULL;
}

/* Who picked the number: the line that is to be changed. */
static void write_picker(const struct finding_writer *writing, const struct finding *finding,
                         char text[SIDE_TEXT_SIZE]) {
    text[0] = '\0';
    if (finding->assigned.process != 0 && finding_was_released(finding))
        call_source(writing->check, writing->lines, &finding->assigned, text);
}

void finding_tests_write(const struct finding_writer *writing, const struct finding *finding) {
    const struct sentence sentence = sentence_of(finding);
    char subject[TEST_NAME_TEXT_SIZE];
    char other[TEST_NAME_TEXT_SIZE];
    char endpoint[ENDPOINT_TEXT_SIZE];
    char picker[SIDE_TEXT_SIZE];
    if (!finding_has_both_tests(finding))
        return;
    test_name_text(finding->marker, subject);
    test_name_text(finding->other_marker, other);
    write_picker(writing, finding, picker);
    message_write(writing->to, "  %s %s %s%s%s%s%s %s%s", subject, sentence.did,
                  endpoint_text(&finding->endpoint, endpoint), picker[0] != '\0' ? ", which " : "",
                  picker, picker[0] != '\0' ? " had picked for it," : "", sentence.before,
                  strcmp(subject, other) == 0 ? "the same test" : other, sentence.behind);
}
