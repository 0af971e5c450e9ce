//! Which provider serves whom.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::callback::CallbackDecoder;
use reminderly_core::ports::provider::{AttemptLookup, Provider, ProviderDirectory};

use crate::sandbox::Sandbox;

/// A directory of providers by contact method, with exceptions per company. Fixed once it is built; of two entries for the
/// same thing the later stands.
///
/// ```
/// use std::sync::Arc;
///
/// use reminderly_core::clock::SystemClock;
/// use reminderly_core::domain::contact_method::ContactMethod;
/// use reminderly_core::ids::CompanyId;
/// use reminderly_core::ports::provider::ProviderDirectory;
/// use reminderly_providers::router::MethodRouter;
/// use reminderly_providers::sandbox::{Sandbox, SandboxSettings};
///
/// let sandbox = Sandbox::new(Arc::new(SystemClock::new()), SandboxSettings::default());
/// let company: CompanyId = "019a0000-0000-7000-8000-000000000001".parse()?;
/// let router = MethodRouter::sandbox(&sandbox).with_account("sandbox-sms".into(), "+15205550199", company);
///
/// assert!(router.route(company, ContactMethod::Email).is_some());
/// assert_eq!(router.company_of(&"sandbox-sms".into(), "+15205550199"), Some(company));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default, Clone)]
pub struct MethodRouter {
    providers: HashMap<ContactMethod, Arc<dyn Provider>>,
    exceptions: HashMap<(CompanyId, ContactMethod), Arc<dyn Provider>>,
    lookups: HashMap<ProviderName, Arc<dyn AttemptLookup>>,
    decoders: HashMap<ProviderName, Arc<dyn CallbackDecoder>>,
    accounts: HashMap<ProviderName, HashMap<String, CompanyId>>,
    sandboxes: HashMap<ProviderName, Sandbox>,
}

impl MethodRouter {
    /// A directory without providers.
    pub fn new() -> Self {
        Self::default()
    }

    /// A directory in which a sandbox serves every company by every method.
    pub fn sandbox(sandbox: &Sandbox) -> Self {
        let mut router = Self::new();
        for method in ContactMethod::ALL {
            let provider = sandbox.provider(method);
            let name = provider.name();
            router.sandboxes.insert(name.clone(), sandbox.clone());
            router = router
                .with_provider(provider)
                .with_lookup(name.clone(), sandbox.lookup())
                .with_decoder(name, sandbox.decoder());
        }
        router
    }

    /// Lets the provider serve its method for every company without an entry of its own.
    #[must_use]
    pub fn with_provider(mut self, provider: Arc<dyn Provider>) -> Self {
        self.providers.insert(provider.method(), provider);
        self
    }

    /// Lets the provider serve its method for one company.
    #[must_use]
    pub fn with_provider_for(mut self, company: CompanyId, provider: Arc<dyn Provider>) -> Self {
        self.exceptions.insert((company, provider.method()), provider);
        self
    }

    /// Says how to ask a provider about attempts.
    #[must_use]
    pub fn with_lookup(mut self, provider: ProviderName, lookup: Arc<dyn AttemptLookup>) -> Self {
        self.lookups.insert(provider, lookup);
        self
    }

    /// Says what reads a provider's callbacks.
    #[must_use]
    pub fn with_decoder(mut self, provider: ProviderName, decoder: Arc<dyn CallbackDecoder>) -> Self {
        self.decoders.insert(provider, decoder);
        self
    }

    /// Says to which company an account or number of ours belongs. It is compared as the provider's callbacks write it.
    #[must_use]
    pub fn with_account(mut self, provider: ProviderName, account: &str, company: CompanyId) -> Self {
        self.accounts.entry(provider).or_default().insert(account.to_owned(), company);
        self
    }
}

#[deny(clippy::missing_trait_methods)]
impl ProviderDirectory for MethodRouter {
    fn route(&self, company: CompanyId, method: ContactMethod) -> Option<Arc<dyn Provider>> {
        self.exceptions.get(&(company, method)).or_else(|| self.providers.get(&method)).cloned()
    }

    fn lookup(&self, provider: &ProviderName) -> Option<Arc<dyn AttemptLookup>> {
        self.lookups.get(provider).cloned()
    }

    fn decoder(&self, provider: &ProviderName) -> Option<Arc<dyn CallbackDecoder>> {
        self.decoders.get(provider).cloned()
    }

    fn company_of(&self, provider: &ProviderName, account: &str) -> Option<CompanyId> {
        let configured = self.accounts.get(provider).and_then(|accounts| accounts.get(account)).copied();
        configured.or_else(|| self.sandboxes.get(provider)?.company_of(account))
    }
}

impl fmt::Debug for MethodRouter {
    /// Without the accounts: numbers of ours are nobody's business in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodRouter")
            .field("providers", &self.providers)
            .field("exceptions", &self.exceptions)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{bench, company};
    use crate::sandbox::SandboxSettings;

    #[test]
    fn a_company_of_its_own_goes_before_the_default() {
        let (common, own) =
            (bench(SandboxSettings::default()).sandbox, bench(SandboxSettings::default()).sandbox);
        let provider = own.provider(ContactMethod::Sms);
        let router = MethodRouter::sandbox(&common).with_provider_for(company(1), Arc::clone(&provider));
        assert!(Arc::ptr_eq(&router.route(company(1), ContactMethod::Sms).unwrap(), &provider));
        assert!(!Arc::ptr_eq(&router.route(company(2), ContactMethod::Sms).unwrap(), &provider));
        assert_eq!(router.route(company(1), ContactMethod::Email).unwrap().name(), "sandbox-email".into());
    }

    #[test]
    fn an_empty_directory_serves_nobody() {
        let router = MethodRouter::new();
        let name = ProviderName::from("sandbox-sms");
        assert!(router.route(company(1), ContactMethod::Sms).is_none());
        assert!(router.lookup(&name).is_none() && router.decoder(&name).is_none());
        assert_eq!(router.company_of(&name, "sandbox-019a0000-0000-7000-8000-000000000001"), None);
    }

    #[test]
    fn accounts_lead_back_to_companies() {
        let accounts = [(company(1), "+15205550199".into())].into();
        let sandbox = bench(SandboxSettings { accounts, ..SandboxSettings::default() }).sandbox;
        let router = MethodRouter::sandbox(&sandbox).with_account("sandbox-sms".into(), "desk", company(3));
        let name = ProviderName::from("sandbox-sms");
        for company in [company(1), company(2)] {
            assert_eq!(router.company_of(&name, &sandbox.account(company)), Some(company));
        }
        assert_eq!(router.company_of(&name, "desk"), Some(company(3)));
        assert_eq!(router.company_of(&"sandbox-email".into(), "desk"), None, "accounts belong to a provider");
        assert_eq!(router.company_of(&name, "sandbox-nobody"), None);
        assert_eq!(router.company_of(&"other".into(), &sandbox.account(company(2))), None);
        assert!(!format!("{router:?}").contains("desk"));
    }
}
