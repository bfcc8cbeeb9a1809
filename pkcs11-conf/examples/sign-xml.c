/* Signs an XML document with the card's signature key, as e-Tax files (.xtx) are: an example to
 * start from.
 *
 * Debian packages libxmlsec1-dev and libxmlsec1-nss:
 *
 *   cc -o sign-xml sign-xml.c $(pkg-config --cflags --libs xmlsec1-nss)
 *   sign-xml MODULE TOKEN:LABEL [PIN-FILE] <document.xml >signed.xml
 *
 *   sign-xml /usr/lib/x86_64-linux-gnu/pkcs11/jpki-pkcs11-sign.so \
 *       "JPKI Digital Signature:Digital Signature Certificate" <document.xml >signed.xml
 *   xmlsec1 --verify --trusted-pem ca.pem signed.xml
 *
 * The signature is enveloped, over the whole document: RSA-SHA256, exclusive canonical XML, the
 * certificate in X509Data. Without PIN-FILE the PIN is asked for at the terminal. It is given to
 * the card once only.
 */

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <xmlsec/nss/crypto.h>
#include <xmlsec/nss/pkikeys.h>
#include <xmlsec/nss/x509.h>
#include <xmlsec/templates.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

#include <cert.h>
#include <keyhi.h>
#include <nss.h>
#include <pk11pub.h>
#include <prerror.h>
#include <secmod.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Says what failed, and NSS's reason if it has one. */
static int failed(const char *what)
{
    const char *reason = PR_GetError() ? PR_ErrorToName(PR_GetError()) : NULL;

    fprintf(stderr, "sign-xml: %s%s%s\n", what, reason ? ": " : "", reason ? reason : "");
    return -1;
}

static char *pin_from_file(const char *name)
{
    char line[64];
    FILE *file = fopen(name, "r");

    if (!file)
        return NULL;
    char *read = fgets(line, sizeof line, file);
    fclose(file);
    if (!read)
        return NULL;
    line[strcspn(line, "\r\n")] = '\0';
    char *pin = PORT_Strdup(line);
    explicit_bzero(line, sizeof line);
    return pin;
}

/* NSS wants a PIN; arg is the name of a file or NULL. Asked again after a wrong one, we give up:
 * tries are few. */
static char *give_pin(PK11SlotInfo *slot, PRBool retry, void *arg)
{
    char prompt[128];

    if (retry)
        return NULL;
    if (arg)
        return pin_from_file(arg);
    snprintf(prompt, sizeof prompt, "PIN of %s: ", PK11_GetTokenName(slot));
    char *typed = getpass(prompt);
    char *pin = typed ? PORT_Strdup(typed) : NULL;
    if (typed)
        explicit_bzero(typed, strlen(typed));
    return pin;
}

static SECMODModule *load_module(const char *path)
{
    char specification[4200];

    snprintf(specification, sizeof specification, "library=\"%s\" name=\"JPKI\"", path);
    SECMODModule *module = SECMOD_LoadUserModule(specification, NULL, PR_FALSE);
    if (module && !module->loaded) {
        SECMOD_DestroyModule(module);
        module = NULL;
    }
    return module;
}

/* The key as xmlsec has it, with its certificate; NULL on failure. */
static xmlSecKeyPtr make_key(SECKEYPrivateKey *private_key, CERTCertificate *certificate)
{
    SECKEYPublicKey *public_key = CERT_ExtractPublicKey(certificate);
    xmlSecKeyPtr key = xmlSecKeyCreate();
    /* These two take over what they are given. */
    xmlSecKeyDataPtr value = xmlSecNssPKIAdoptKey(SECKEY_CopyPrivateKey(private_key), public_key);
    xmlSecKeyDataPtr x509 = xmlSecKeyDataCreate(xmlSecNssKeyDataX509Id);

    if (!key || !value || !x509 || xmlSecKeySetValue(key, value) < 0 ||
        xmlSecNssKeyDataX509AdoptKeyCert(x509, CERT_DupCertificate(certificate)) < 0 ||
        xmlSecNssKeyDataX509AdoptCert(x509, CERT_DupCertificate(certificate)) < 0 ||
        xmlSecKeyAdoptData(key, x509) < 0) {
        failed("the key does not get into xmlsec");
        return NULL;
    }
    return key;
}

/* Adds an empty signature to the end of the document: what is to be signed, and how. */
static xmlNodePtr add_template(xmlDocPtr document)
{
    xmlNodePtr signature = xmlSecTmplSignatureCreate(document, xmlSecTransformExclC14NId,
                                                     xmlSecNssTransformRsaSha256Id, NULL);
    if (!signature)
        return NULL;
    xmlAddChild(xmlDocGetRootElement(document), signature);
    xmlNodePtr reference = xmlSecTmplSignatureAddReference(signature, xmlSecNssTransformSha256Id,
                                                           NULL, (const xmlChar *)"", NULL);
    if (!reference || !xmlSecTmplReferenceAddTransform(reference, xmlSecTransformEnvelopedId) ||
        !xmlSecTmplReferenceAddTransform(reference, xmlSecTransformExclC14NId))
        return NULL;
    xmlNodePtr key_info = xmlSecTmplSignatureEnsureKeyInfo(signature, NULL);
    xmlNodePtr x509 = key_info ? xmlSecTmplKeyInfoAddX509Data(key_info) : NULL;
    if (!x509 || !xmlSecTmplX509DataAddCertificate(x509))
        return NULL;
    return signature;
}

static int sign_document(xmlDocPtr document, xmlSecKeyPtr key)
{
    xmlSecDSigCtxPtr context = xmlSecDSigCtxCreate(NULL);
    xmlNodePtr signature = add_template(document);
    int result = -1;

    if (context && signature) {
        context->signKey = key;
        result = xmlSecDSigCtxSign(context, signature);
        context->signKey = NULL;
        if (context->status != xmlSecDSigStatusSucceeded)
            result = -1;
    }
    if (context)
        xmlSecDSigCtxDestroy(context);
    return result < 0 ? failed("signing") : 0;
}

static int sign_with(const char *nickname, const char *pin_file, xmlDocPtr document)
{
    char *file = pin_file ? PORT_Strdup(pin_file) : NULL;
    int result = -1;

    /* Logs in: before, the signature certificate cannot be seen. */
    CERTCertificate *certificate = PK11_FindCertFromNickname(nickname, file);
    SECKEYPrivateKey *private_key = certificate ? PK11_FindKeyByAnyCert(certificate, file) : NULL;
    if (private_key) {
        xmlSecKeyPtr key = make_key(private_key, certificate);
        if (key) {
            result = sign_document(document, key);
            xmlSecKeyDestroy(key);
        }
        SECKEY_DestroyPrivateKey(private_key);
    } else {
        failed(certificate ? "no private key" : "no certificate");
    }
    if (certificate)
        CERT_DestroyCertificate(certificate);
    PORT_Free(file);
    return result;
}

static int start(void)
{
    xmlInitParser();
    if (NSS_NoDB_Init(NULL) != SECSuccess || xmlSecInit() < 0 || xmlSecNssInit() < 0)
        return failed("NSS or xmlsec does not start");
    PK11_SetPasswordFunc(give_pin);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "sign-xml MODULE TOKEN:LABEL [PIN-FILE] <document >signed\n");
        return 2;
    }
    if (start() < 0)
        return 1;
    SECMODModule *module = load_module(argv[1]);
    /* No entities, nothing from the network: what is signed is what is read. */
    xmlDocPtr document = xmlReadFd(STDIN_FILENO, NULL, NULL, XML_PARSE_NONET);
    int result = -1;
    if (!module)
        failed("the module cannot be loaded");
    else if (!document)
        failed("the document is not XML");
    else
        result = sign_with(argv[2], argv[3], document);
    if (result == 0 && xmlDocDump(stdout, document) < 0)
        result = failed("writing");

    xmlFreeDoc(document);
    xmlSecNssShutdown();
    xmlSecShutdown();
    if (module) {
        SECMOD_UnloadUserModule(module);
        SECMOD_DestroyModule(module);
    }
    NSS_Shutdown();
    xmlCleanupParser();
    return result == 0 ? 0 : 1;
}
