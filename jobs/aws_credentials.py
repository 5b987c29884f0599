"""What botocore raises where there are no credentials to use: nothing that asking again would mend."""

from botocore import exceptions

NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.ProfileNotFound,
    exceptions.SSOError,
    exceptions.LoginError,
    exceptions.TokenRetrievalError,
)
