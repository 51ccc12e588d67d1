/* What counts as lawful sharing is one decision, made before any check is asked. */
#include "harness/storm/checks/announced.h"

#include <netinet/in.h>

bool announcements_may_share(const struct announcements *announcements, unsigned protocol) {
    return protocol == IPPROTO_UDP ? announcements->udp_may_share : announcements->tcp_may_share;
}
