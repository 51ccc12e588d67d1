/* Connects that are made in a program's place. One that waits for its peer would keep all other
 * programs waiting, so it is only begun there. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_CONNECT_H
#define PORTWITNESS_CAPTURE_NOTIFY_CONNECT_H

#include "harness/capture/notify_journal.h"
#include "harness/capture/notify_socket.h"

enum notify_connect_way {
    NOTIFY_CONNECT_PASS = 0, /* nobody but the program can make it */
    NOTIFY_CONNECT_PLAIN,    /* it does not wait, whatever comes of it */
    NOTIFY_CONNECT_BEGIN     /* between notify_connect_begin and notify_connect_end */
};

/* `type` of the socket: SOCK_STREAM, SOCK_DGRAM. */
enum notify_connect_way notify_connect_way(int duplicate, int type);

/* Until the end a connect of this socket, which waits for its peer, does not. The journal says so:
 * whoever finds that after us calls notify_connect_restore. */
void notify_connect_begin(int duplicate, struct notify_journal *journal);
void notify_connect_restore(int duplicate, struct notify_journal *journal);

/* After the connect, which gave `error`: its result, or EALREADY where it still waits. Then the
 * program's own connect waits for that connection and gets what came of it. */
int notify_connect_end(int duplicate, struct notify_journal *journal,
                       const union notify_address *peer, int error);

#endif
