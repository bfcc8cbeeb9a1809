/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* p11-kit's proxy above the module: signatures, a card that is removed and inserted, a child
 * process. MODULE is the proxy, which has slot numbers of its own. */
#include "p11.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static CK_SLOT_ID slot_of(const char *label)
{
    CK_SLOT_ID slots[P11_SLOTS];
    CK_ULONG count = p11_slots(slots);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_TOKEN_INFO info;
        if (p11->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
            memcmp(info.label, label, strlen(label)) == 0)
            return slots[i];
    }
    EXPECT(false, "no token %s among %lu slots", label, count);
}

static void log_in_and_sign(struct p11_login *login)
{
    p11_log_in(login, slot_of("JPKI User Authentication"), AUTH_PIN);
    login->slot = AUTH_SLOT(0); /* whose certificate p11_sign() takes */
    OK(p11_sign(login));
}

static void sign_in_child(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct p11_login login;
        watchdog(20, "a child process");
        p11_initialize(NULL);
        log_in_and_sign(&login);
        OK(p11->C_Finalize(NULL));
        exit(0);
    }
    (void)waitpid(child, &status, 0);
    EXPECT(status == 0, "a child process: %d", status);
}

int main(void)
{
    struct p11_login login;
    watchdog(60, "proxy");
    p11_load(NULL);
    p11_expect_card(0, NULL);
    p11_initialize(NULL);
    log_in_and_sign(&login);
    sign_in_child();
    OK(p11_sign(&login));

    card_remove(0);
    CK_RV rv = p11_sign(&login);
    EXPECT(rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT, "0x%lX", rv);
    RETURNS(CKR_SESSION_HANDLE_INVALID, p11_sign(&login));
    card_insert(0);
    log_in_and_sign(&login);
    OK(p11->C_Finalize(NULL));
    EXPECT(card_tries_full(0), "a try was lost");
    passed("p11-kit's proxy above the module");
    return 0;
}
