/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* p11-kit's proxy above the module: signatures, a card that goes and comes back, a child. Slots are
 * the proxy's own. MODULE is the proxy. */
#include "p11.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static CK_SLOT_ID slot_of(const char *label)
{
    CK_SLOT_ID slots[APP_SLOTS];
    CK_ULONG count = app_slots(slots);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (p11->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            memcmp(info.label, label, strlen(label)) == 0)
            return slots[i];
    }
    EXPECT(false, "no token %s among %lu slots", label, count);
}

static void sit_and_sign(struct app_desk *desk)
{
    app_sit_down(desk, slot_of("JPKI User Authentication"), AUTH_PIN);
    desk->slot = AUTH_SLOT(0); /* by whose certificate it is judged */
    OK(app_sign(desk));
}

static void have_a_child(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct app_desk desk;
        world_watchdog(20, "a child");
        app_initialize(NULL);
        sit_and_sign(&desk);
        OK(p11->C_Finalize(NULL));
        exit(0);
    }
    (void)waitpid(child, &status, 0);
    EXPECT(status == 0, "a child: %d", status);
}

int main(void)
{
    struct app_desk desk;
    world_watchdog(60, "proxy");
    app_load(NULL);
    app_card_is(0, NULL);
    app_initialize(NULL);
    sit_and_sign(&desk);
    have_a_child();
    OK(app_sign(&desk));

    world_remove(0);
    CK_RV rv = app_sign(&desk);
    EXPECT(rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT, "0x%lX", rv);
    SAYS(CKR_SESSION_HANDLE_INVALID, app_sign(&desk));
    world_insert(0);
    sit_and_sign(&desk);
    OK(p11->C_Finalize(NULL));
    EXPECT(world_tries_full(0), "a try is gone");
    world_shown("p11-kit's proxy above the module");
    return 0;
}
