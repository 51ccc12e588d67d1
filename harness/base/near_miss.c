/* The distance of Damerau and Levenshtein, for two neighbours that are swapped are one slip. */
#include "harness/base/near_miss.h"

#include <ctype.h>
#include <string.h>

enum { LETTERS_MAX = 63, LETTERS_A_SLIP = 3 };

static unsigned least(unsigned one, unsigned other) { return one < other ? one : other; }

unsigned edit_distance(const char *one, const char *other) {
    size_t rows = strnlen(one, LETTERS_MAX);
    size_t columns = strnlen(other, LETTERS_MAX);
    unsigned cost[LETTERS_MAX + 1][LETTERS_MAX + 1];

    for (size_t row = 0; row <= rows; row++)
        cost[row][0] = (unsigned)row;
    for (size_t column = 0; column <= columns; column++)
        cost[0][column] = (unsigned)column;
    for (size_t row = 1; row <= rows; row++)
        for (size_t column = 1; column <= columns; column++) {
            unsigned differs =
                tolower((unsigned char)one[row - 1]) != tolower((unsigned char)other[column - 1]);
            unsigned best = least(cost[row - 1][column], cost[row][column - 1]) + 1;
            best = least(best, cost[row - 1][column - 1] + differs);
            if (row > 1 && column > 1 && one[row - 1] == other[column - 2] &&
                one[row - 2] == other[column - 1])
                best = least(best, cost[row - 2][column - 2] + 1);
            cost[row][column] = best;
        }
    return cost[rows][columns];
}

const char *near_miss(const char *word, const char *const names[], size_t count) {
    const char *nearest = NULL;
    size_t length = strnlen(word, LETTERS_MAX);
    unsigned best = (unsigned)(length + LETTERS_A_SLIP - 1) / LETTERS_A_SLIP + 1;

    for (size_t i = 0; i < count; i++) {
        unsigned distance = edit_distance(word, names[i]);
        if (distance < best && distance < strlen(names[i])) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
