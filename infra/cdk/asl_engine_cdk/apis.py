"""Two HTTP APIs: Step Functions' own, signed with IAM, and the approval pages, whose links are their authorization."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from asl_engine_cdk.settings import Settings

_BURST = 50
_PER_SECOND = 20


class Apis(Construct):
    """The APIs, before the functions behind them: those need the addresses."""

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, "Apis")
        self.step_functions = self._api("StepFunctions", f"{settings.name}-api", "The Step Functions API", settings)
        self.approvals = self._api("Approvals", f"{settings.name}-approvals", "Approval pages", settings)
        self._stage("StepFunctions", self.step_functions)
        self._stage(
            "Approvals",
            self.approvals,
            apigateway.CfnStage.RouteSettingsProperty(throttling_burst_limit=_BURST, throttling_rate_limit=_PER_SECOND),
        )

    def connect(self, *, api: lambda_.Function, approvals: lambda_.Function) -> None:
        """Put the functions behind the APIs."""
        self._route("StepFunctions", self.step_functions, api, "POST /", "AWS_IAM", "/*/POST/")
        # Nothing is logged here: a link is a secret.
        self._route("Approvals", self.approvals, approvals, "$default", "NONE", "/*")

    def _api(self, id_: str, name: str, what: str, settings: Settings) -> apigateway.CfnApi:
        return apigateway.CfnApi(
            self, f"{id_}Api", name=name, description=f"{what} of {settings.name}", protocol_type="HTTP"
        )

    def _stage(
        self, id_: str, api: apigateway.CfnApi, settings: apigateway.CfnStage.RouteSettingsProperty | None = None
    ) -> None:
        apigateway.CfnStage(
            self,
            f"{id_}Stage",
            api_id=api.ref,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=settings,
        )

    def _route(
        self,
        id_: str,
        api: apigateway.CfnApi,
        function: lambda_.Function,
        route_key: str,
        authorization: str,
        source: str,
    ) -> None:
        integration = apigateway.CfnIntegration(
            self,
            f"{id_}Integration",
            api_id=api.ref,
            integration_type="AWS_PROXY",
            integration_uri=function.function_arn,
            payload_format_version="2.0",
        )
        apigateway.CfnRoute(
            self,
            f"{id_}Route",
            api_id=api.ref,
            route_key=route_key,
            authorization_type=authorization,
            target=f"integrations/{integration.ref}",
        )
        function.add_permission(
            "InvokedByHttpApi",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:{api.ref}{source}",
        )
