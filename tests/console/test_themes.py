"""What a person can read: contrast of the shipped themes, no meaning by colour alone, no colours at all, own themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.color import ColorType
from textual.color import Color
from textual.widgets import Input, Static

from console import contrast, formatting, theme, themefiles
from console.app import Console, make_app
from console.memory import Memory
from console.screens.dialogs import MessageScreen
from console.theme import SHIPPED
from tests.console.conftest import until
from tests.console.scripted import populated
from tests.console.settling import settle

COLOURED = [name for name, shipped in SHIPPED.items() if not shipped.ansi]
GRAPHICS = {"faint"}
"""Roles that draw what is left of a bar or a border, never text."""
GROUNDS = ("background", "surface", "panel")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast.ratio(Color.parse("#fff"), Color.parse("#000")) == pytest.approx(21)
    assert contrast.ratio(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)
    assert contrast.ratio(Color.parse("#fff"), Color.parse("#777")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", COLOURED)
def test_every_colour_of_a_shipped_theme_is_read_on_every_ground(name: str) -> None:
    least = contrast.HIGH if "contrast" in name else contrast.ENOUGH
    found = list(contrast.pairs(themefiles.colours(SHIPPED[name])))
    assert len(found) == len(contrast.INKS) * len(contrast.GROUNDS) + len(contrast.REVERSED)
    assert not [(ink, ground, round(value, 2)) for ink, ground, value in found if value < least]


@pytest.mark.parametrize("name", COLOURED)
async def test_every_role_is_read_where_it_is_drawn(name: str) -> None:
    """As the stylesheet gives it, not as the theme means it: on the page, in dialogs, on the row under the cursor."""
    app = make_app(populated(), theme_name=SHIPPED[name].name)
    async with app.run_test(size=(80, 24)) as pilot:
        grounds = [Color.parse(app.theme_variables[ground]) for ground in GROUNDS]
        cursor = app.paint("cursor").bgcolor
        assert cursor is not None
        low = []
        for role in set(theme.ROLES) - GRAPHICS:
            style = app.paint(role)
            ink = (
                Color.from_rich_color(style.color)
                if style.color
                else Color.parse(app.theme_variables["foreground"])
            )
            own = (
                [Color.from_rich_color(style.bgcolor)]
                if style.bgcolor
                else [*grounds, Color.from_rich_color(cursor)]
            )
            low += [
                (role, round(value, 2))
                for ground in own
                if (value := contrast.ratio(ink, ground)) < contrast.ENOUGH
            ]
        await pilot.press("colon")
        line = app.screen.query_one(Input)
        for part in ("input--placeholder", "input--suggestion"):
            style = line.get_component_rich_style(part)
            assert style.color is not None and style.bgcolor is not None
            value = contrast.ratio(Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
            low += [(part, round(value, 2))] if value < contrast.ENOUGH else []
        assert not low


def test_roles_that_mean_something_have_glyphs_of_their_own() -> None:
    assert len(set(formatting.GLYPHS.values())) == len(formatting.GLYPHS)
    assert set(formatting._ROLES.values()) <= set(formatting.GLYPHS)


def known_statuses() -> set[str]:
    """Every status that AWS documents for what the console lists."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    names = (
        "TrainingJobStatus", "EndpointStatus", "TransformJobStatus", "HyperParameterTuningJobStatus",
    )  # fmt: skip
    return {value for name in names for value in model.shape_for(name).enum}


def test_every_status_of_aws_is_read_without_colours() -> None:
    shown = {word: formatting.status(word) for word in known_statuses()}
    assert not set(shown) - set(formatting._ROLES), "a status that is shown as something idle"
    assert len({str(status) for status in shown.values()}) == len(shown)
    for word, status in shown.items():
        assert str(status) == f"{status.glyph} {word}"
    by_glyph: dict[str, set[str]] = {}
    for status in shown.values():
        by_glyph.setdefault(status.glyph, set()).add(status.role)
    assert all(len(roles) == 1 for roles in by_glyph.values()), "one glyph, two colours"


def colours_on(app: Console) -> set[str]:
    """Every colour on the screen that is not the terminal's own."""
    found = set()
    for strip in app.screen._compositor.render_strips():
        for segment in (
            strip.apply_filter(app._colourless, Color.parse("#000")) if app._colourless.enabled else strip
        ):
            style = segment.style
            for colour in (style.color, style.bgcolor) if style else ():
                if colour is not None and colour.type is not ColorType.DEFAULT:
                    found.add(colour.name)
    return found


async def test_no_color_means_none_and_everything_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(populated(target="aws"))
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.theme == "mlconsole-plain"
        await pilot.press("2", "down", "space")
        await settle(pilot)
        assert not colours_on(app)
        lines = [strip.text for strip in app.screen._compositor.render_strips()]
        text = "\n".join(lines)
        assert (
            "● InProgress" in text
            and "✗ Failed" in text
            and "AWS" in lines[0]
            and "◆" in text
            and "▌" in text
        )
        assert app.paint("cursor").reverse and app.paint("badge-aws").reverse and app.paint("match").reverse


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light"])
async def test_ansi_themes_use_the_sixteen_colours_of_the_terminal_only(name: str) -> None:
    app = make_app(populated(), theme_name=name)
    async with app.run_test(size=(80, 24)) as pilot:
        for keys in (["2", "down"], ["colon"], ["escape", "C"], ["escape", "3", "enter"]):
            await pilot.press(*keys)
            await settle(pilot)
            for strip in app.screen._compositor.render_strips():
                for segment in strip:
                    style = segment.style
                    for colour in (style.color, style.bgcolor) if style else ():
                        assert colour is None or colour.type in (ColorType.DEFAULT, ColorType.STANDARD), (
                            segment,
                            colour,
                        )


class TestOwnThemes:
    def test_a_file_begins_with_a_theme_and_changes_colours(self) -> None:
        found = themefiles.parse(
            "mine", 'base = "light"\nprimary = "#123456"\ndim = "rgb(10,20,30)"\n', SHIPPED
        )
        assert found.name == "mine" and found.primary == "#123456" and found.variables["dim"] == "#0a141e"
        assert found.background == SHIPPED["light"].background and not found.dark
        assert not themefiles.parse("mine", 'base = "ansi-dark"\nprimary = "#123456"\n', SHIPPED).ansi
        assert themefiles.parse("mine", 'base = "ansi-dark"\nprimary = "ansi_red"\n', SHIPPED).ansi

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("base = 'dusk'", "line 1: there is no theme 'dusk'; base is one of dark, light"),
            ("\nprimery = '#fff'", "line 2: there is no colour 'primery'"),
            ("primary = 'blurple'", "line 1: 'blurple' is no colour"),
            ("primary = 7", "line 1: 7 is no colour"),
            ("primary = ", "line 1: it is not TOML"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_line(self, text: str, problem: str) -> None:
        with pytest.raises(ValueError, match=re.escape(problem)):
            themefiles.parse("mine", text, SHIPPED)

    def test_colours_that_are_hard_to_read_are_named_worst_first(self) -> None:
        mine = themefiles.parse("mine", 'foreground = "#333333"\ndim = "#222222"\n', SHIPPED)
        texts = themefiles.hard_to_read(mine)
        assert (
            texts
            and texts[0].startswith("dim on ")
            and any(text.startswith("foreground on background") for text in texts)
        )

    async def test_it_is_used_remembered_and_drawn_anew_when_it_is_saved(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from console.watching import Watcher

        monkeypatch.setattr(Watcher.__init__, "__kwdefaults__", {"every": 0.02})
        folder = tmp_path / "themes"
        folder.mkdir()
        (folder / "dusk.toml").write_text('primary = "#ffcc00"\n')
        (folder / "dark.toml").write_text('primary = "#ffcc00"\n')
        memory = Memory()
        app = make_app(populated(), themes_dir=folder, memory=memory)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: app.own_themes == ("dusk",))
            assert app.flash_text and "dark is a theme of mlconsole" in app.flash_text[0]
            (folder / "dark.toml").unlink()
            await pilot.press("colon", *"theme dusk", "enter")
            await until(pilot, lambda: app.theme == "dusk")
            first = str(app.paint("key").color)
            (folder / "dusk.toml").write_text('primary = "#00ffcc"\nforeground = "#333333"\n')
            await until(pilot, lambda: str(app.paint("key").color) != first)
            await until(pilot, lambda: app.flash_text and "contrast of" in app.flash_text[0])
            (folder / "dusk.toml").write_text('primary = "#00ffcc\n')
            await until(pilot, lambda: app.flash_text and "dusk.toml, line 1" in app.flash_text[0])
        assert memory.get("theme") == "dusk"
        (folder / "dusk.toml").write_text('primary = "#00ffcc"\n')
        again = make_app(populated(), themes_dir=folder, memory=memory)
        async with again.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: again.theme == "dusk")

    async def test_a_mistake_that_is_longer_than_the_key_line_is_read_in_a_dialog(
        self, tmp_path: Path
    ) -> None:
        folder = tmp_path / "themes"
        folder.mkdir()
        (folder / "dark.toml").write_text("")
        (folder / "light.toml").write_text("")
        app = make_app(populated(), themes_dir=folder)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: isinstance(app.screen, MessageScreen))
            said = str(app.screen.query_one(".sentences", Static).render())
            assert "dark.toml: dark is a theme" in said and "light.toml: light is a theme" in said
