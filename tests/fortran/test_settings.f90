! SPDX-License-Identifier: MIT
!> Keywords and command line to settings: values, defaults, and one sentence for each mistake.
module test_settings
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type
   use fennix_strings, only : split, string_type
   use fennix_arguments, only : arguments_type, parse_arguments
   use fennix_settings, only : settings_type
   use fennix_interpret, only : read_settings
   use fennix_tinker_keywords, only : is_meaningless
   use input_samples, only : lines, settings_of
   use report_samples, only : remove, write_text
   use test_runner, only : check, expect_error
   implicit none
   private
   public :: test_settings_defaults, test_settings_values, test_settings_command_line, test_settings_mistakes, &
      & test_settings_classes, test_settings_notes, test_settings_files, test_settings_model_folder, &
      & test_settings_seed, test_settings_ranks

   character(len=*), parameter :: model = "ml-model water-accurate|"

contains


!> What holds when only a model is named
subroutine test_settings_defaults(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: s

   call settings_of(s, model, "case 0", raised)
   call check(error, .not. allocated(raised), "refused")
   if (allocated(error)) return
   call check(error, s%integrator == "baoab" .and. s%ensemble == "nvt" .and. s%langevin .and. .not. s%two_level, &
      & "baoab")
   call check(error, near(s%dt, 1.0e-3_dp) .and. s%dump_every == 100_i8 .and. s%checkpoint_every == 100_i8, "times")
   call check(error, near(s%temperature, 298.0_dp) .and. near(s%initial_temperature, 298.0_dp), "temperatures")
   call check(error, near(s%friction, 1.0_dp) .and. s%remove_inertia == 0 .and. .not. s%heavy_hydrogen, "dynamics")
   call check(error, s%device == "auto" .and. s%precision == "float32" .and. s%model_fast == "", "models")
   call check(error, s%archive .and. s%h5md .and. s%save_velocity .and. s%save_force .and. s%restart_files, "output")
   call check(error, abs(s%harvest_force) <= 0.0_dp .and. s%harvest_max == 1000_i8, "nothing is harvested")
   call check(error, size(s%notes) == 0 .and. s%ignored_keywords == "" .and. .not. s%seed_given, "nothing to say")
end subroutine test_settings_defaults


!> Every keyword arrives
subroutine test_settings_values(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: s

   call settings_of(s, "steps 50|timestep 4|dump 0.02|temperature 310|initial-temperature 10|maxh 1.5|" // &
      & "randomseed -3|integrator BAOABRESPA|dshort 5d-4|friction 0|thermostat Langevin|remove-inertia 7|" // &
      & "heavy-hydrogen|list-buffer 0.8|ml-model a.fnx|ml-model-fast b.py:Fast|ml-device cuda:2|" // &
      & "ml-precision float64|ml-threads 3|ml-qtot -1|ml-force-cap 50|x-axis 20|c-axis 30|beta 95|element CA Ca|" // &
      & "element XX Cl|minimize|minimize-rms 0.5|minimize-steps 9|printout 3|verbose|noarchive|h5md off|" // &
      & "save-velocity no|save-force false|restart-files off|checkpoint-every 11|digits 8|" // &
      & "harvest-force 12.5|harvest-max 7", "", raised)
   call check(error, .not. allocated(raised), "refused")
   if (allocated(raised)) error%message = raised%message
   if (allocated(error)) return
   call check(error, s%n_steps == 50 .and. near(s%dt, 4.0e-3_dp) .and. s%dump_every == 5 .and. s%n_substeps == 8, &
      & "steps")
   call check(error, near(s%temperature, 310.0_dp) .and. near(s%initial_temperature, 10.0_dp), "temperatures")
   call check(error, near(s%max_hours, 1.5_dp) .and. s%seed == -3_i8 .and. s%seed_given, "maxh, seed")
   call check(error, s%integrator == "baoabrespa" .and. s%two_level .and. s%langevin .and. s%ensemble == "nvt", &
      & "ladder")
   call check(error, abs(s%friction) <= 0.0_dp .and. s%remove_inertia == 7 .and. s%heavy_hydrogen, "dynamics")
   call check(error, near(s%skin, 0.8_dp) .and. s%model_accurate == "a.fnx" .and. s%model_fast == "b.py:Fast", "models")
   call check(error, s%device == "cuda:2" .and. s%precision == "float64" .and. s%threads == 3, "how models run")
   call check(error, near(s%total_charge, -1.0_dp) .and. near(s%force_cap, 50.0_dp), "charge, cap")
   call check(error, s%box_given .and. all(near(s%box_lengths, [20.0_dp, 20.0_dp, 30.0_dp])) &
      & .and. all(near(s%box_angles, [90.0_dp, 95.0_dp, 90.0_dp])), "box")
   call check(error, size(s%element_number) == 2 .and. all(s%element_number == [20, 17]), "elements")
   call check(error, s%minimize .and. near(s%minimize_rms, 0.5_dp) .and. s%minimize_steps == 9, "minimiser")
   call check(error, s%print_every == 3 .and. s%verbose .and. s%checkpoint_every == 11 .and. s%digits == 8, "output")
   call check(error, near(s%harvest_force, 12.5_dp) .and. s%harvest_max == 7_i8, "harvest")
   call check(error, .not. any([s%archive, s%h5md, s%save_velocity, s%save_force, s%restart_files]), "switched off")
end subroutine test_settings_values


!> The command line goes before the keyfile
subroutine test_settings_command_line(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: s

   call settings_of(s, model // "steps 5|timestep 9|dump 9|ensemble nve|temperature 9", &
      & "case 7 2 0.1 2 300 1 -v", raised)
   call check(error, .not. allocated(raised), "refused")
   if (allocated(error)) return
   call check(error, s%n_steps == 7 .and. near(s%dt, 2.0e-3_dp) .and. s%dump_every == 50, "steps")
   call check(error, s%ensemble == "nvt" .and. near(s%temperature, 300.0_dp) .and. s%verbose, "nvt at 300 K")
end subroutine test_settings_command_line


!> Each mistake is told with place, keyword and what was expected
subroutine test_settings_mistakes(error)
   type(error_type), allocatable, intent(out) :: error

   call mistake(error, model // "frictoin 1", "case 0", "keywords, line 2|'frictoin'|'friction'")
   call mistake(error, model // "friction abc", "case 0", "keywords, line 2|'friction'|1/ps|'abc'")
   call mistake(error, model // "friction", "case 0", "line 2|'friction'|number|nothing")
   call mistake(error, model // "friction -1", "case 0", "line 2|'friction'|zero or positive|'-1'")
   call mistake(error, model // "friction 1 2", "case 0", "line 2|'friction'|'1 2'")
   call mistake(error, model // "printout 0", "case 0", "'printout'|positive whole number|'0'")
   call mistake(error, model // "digits 7", "case 0", "'digits'|6 or 8|'7'")
   call mistake(error, model // "h5md perhaps", "case 0", "'h5md'|on or off|'perhaps'")
   call mistake(error, model // "ml-device gpu", "case 0", "'ml-device'|cuda|'gpu'")
   call mistake(error, model // "ml-precision half", "case 0", "'ml-precision'|float32|'half'")
   call mistake(error, model // "ml-threads 99999999999", "case 0", "'ml-threads'|2147483647")
   call mistake(error, model // "element CA", "case 0", "'element'|CA")
   call mistake(error, model // "element CA Xx", "case 0", "'element'|Xx")
   call mistake(error, model // "b-axis 10", "case 0", "'b-axis'|'a-axis'")
   call mistake(error, model // "a-axis 10|alpha 180", "case 0", "'alpha'|between 0 and 180|'180'")
   call mistake(error, model // "a-axis 0", "case 0", "line 2|'a-axis'|positive")
   call mistake(error, model // "harvest-force 30", "case 0", "line 2|'harvest-force'|'baoab' has one level")
   call mistake(error, model // "harvest-force 0", "case 0", "line 2|'harvest-force'|positive number|'0'")
   call mistake(error, model // "harvest-max -1", "case 0", "line 2|'harvest-max'|zero or positive|'-1'")
   call mistake(error, model, "case ten", "command line|'steps'|whole number|'ten'")
   call mistake(error, model, "case 10 0", "command line|'timestep'|positive|fs|'0'")
   call mistake(error, "steps 5", "case", "keywords|'ml-model'|missing")
end subroutine test_settings_mistakes


!> Tinker's keywords: ignored with one sentence, refused with a reason
subroutine test_settings_classes(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: s

   call settings_of(s, model // "parameters ../params/amoebabio09|EWALD|ewald-cutoff 7.0|ewald|mlpot only|" // &
      & "multipole 1 2 3 -0.5| 0.1 0.2 0.3", "case 0", raised)
   call check(error, .not. allocated(raised), "refused")
   if (.not. allocated(error)) call check(error, index(s%ignored_keywords, &
      & ": parameters, ewald, ewald-cutoff, mlpot, multipole") > 0, "sentence: " // s%ignored_keywords)
   call mistake(error, model // "mlpot embedding", "case 0", "line 2|'mlpot'|only")
   call mistake(error, model // "rattle water", "case 0", "line 2|'rattle'|constraints")
   call mistake(error, model // "0.1 0.2", "case 0", "line 2|'0.1'|unknown")
end subroutine test_settings_classes


!> Repeated keywords and those without effect get one note each
subroutine test_settings_notes(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: s

   call settings_of(s, model // "friction 1|friction 2|ensemble nve|dshort 0.001|harvest-max 5", "case 0", raised)
   call check(error, .not. allocated(raised), "refused")
   if (allocated(error)) return
   call check(error, size(s%notes) == 4 .and. near(s%friction, 2.0_dp), "four notes")
   if (allocated(error)) return
   call check(error, index(s%notes(1)%text, "line 3") > 0 .and. index(s%notes(1)%text, "line 2") > 0, s%notes(1)%text)
   call check(error, index(s%notes(2)%text, "'friction'") > 0, s%notes(2)%text)
   call check(error, index(s%notes(3)%text, "'dshort'") > 0, s%notes(3)%text)
   call check(error, index(s%notes(4)%text, "'harvest-max'") > 0, s%notes(4)%text)
end subroutine test_settings_notes


!> Tinker's rules for file names
subroutine test_settings_files(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: s

   call write_text("settings_a.b.xyz", "1" // new_line("a") // "1 H 0 0 0" // new_line("a"))
   call write_text("settings_a.b.key", lines("ml-model m.fnx|steps 4"))
   call read_files("settings_a.b", s, raised)
   call check(error, .not. allocated(raised) .and. s%name == "settings_a.b" .and. s%n_steps == 4, "a point in the name")
   call read_files("settings_a.b.xyz 5", s, raised)
   call check(error, .not. allocated(raised) .and. s%name == "settings_a.b" .and. s%n_steps == 5, "an extension")
   call check(error, s%key_file == "settings_a.b.key" .and. index(s%key_text, "ml-model m.fnx") == 1, "keyfile")
   call read_files("settings_a.b -k settings_a.b", s, raised)
   call check(error, .not. allocated(raised) .and. s%key_file == "settings_a.b.key", "-k adds .key")
   call read_files("settings_a.b -k nowhere", s, raised)
   call expect_error(error, raised, "nowhere|keyfile|-k")
   call read_files("nowhere 5", s, raised)
   call expect_error(error, raised, "nowhere.xyz|no such file")
   call read_files("settings_a.b --rerun nowhere.arc", s, raised)
   call expect_error(error, raised, "nowhere.arc|no such file")
   call remove("settings_a.b.xyz")
   call remove("settings_a.b.key")
end subroutine test_settings_files


!> Model files are looked for beside the keyfile; names of shipped models and absolute paths are left alone
subroutine test_settings_model_folder(error)
   use fennix_locate, only : locate_model
   type(error_type), allocatable, intent(out) :: error

   call execute_command_line("mkdir -p settings_folder")
   call write_text("settings_folder/m.py", "")
   call check(error, locate_model("settings_folder/a.key", "m.py:Net") == "settings_folder/m.py:Net", &
      & "beside the keyfile")
   call check(error, locate_model("settings_folder/a.key", "n.fnx") == "n.fnx", "not there")
   call check(error, locate_model("settings_folder/a.key", "water-fast") == "water-fast", "shipped")
   call check(error, locate_model("settings_folder/a.key", "/m.py") == "/m.py", "absolute")
   call check(error, locate_model("", "m.py") == "m.py", "no keyfile")
   call execute_command_line("rm -r settings_folder")
end subroutine test_settings_model_folder


!> A drawn seed is positive and not always the same
subroutine test_settings_seed(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: s
   integer(i8) :: seeds(5)
   integer :: k

   do k = 1, size(seeds)
      call settings_of(s, model, "case 0", raised)
      seeds(k) = s%seed
   end do
   call check(error, all(seeds > 0) .and. any(seeds /= seeds(1)), "five seeds are the same")
end subroutine test_settings_seed


!> How the system is spread over ranks; what Tinker-HP calls so is not ignored
subroutine test_settings_ranks(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: raised
   type(settings_type) :: s
   character(len=*), parameter :: expected = "keywords, line 2|'decomp3d'|three whole numbers|"

   call settings_of(s, model, "case 0", raised)
   call check(error, .not. allocated(raised), "refused")
   if (allocated(error)) return
   call check(error, all(s%decomposition == 0) .and. s%halo == "auto" .and. s%place_decomposition == "", "defaults")
   call settings_of(s, model // "DECOMP3D 2 3 4|Halo WIDE", "case 0", raised)
   call check(error, .not. allocated(raised), "decomp3d 2 3 4 refused")
   if (allocated(error)) return
   call check(error, all(s%decomposition == [2, 3, 4]), "bricks in the order of the axes")
   call check(error, s%halo == "wide", "halo wide is " // s%halo)
   call check(error, index(s%place_decomposition, "keywords, line 2") > 0 .and. index(s%place_decomposition, &
      & "'decomp3d'") > 0, "place: " // s%place_decomposition)
   call check(error, s%ignored_keywords == "" .and. .not. is_meaningless("decomp3d") .and. &
      & .not. is_meaningless("halo"), "ignored: " // s%ignored_keywords)
   call settings_of(s, model // "halo exchange|decomp3d 1 1 2", "case 0", raised)
   call check(error, .not. allocated(raised) .and. s%halo == "exchange" .and. all(s%decomposition == [1, 1, 2]), &
      & "halo exchange")
   call mistake(error, model // "decomp3d", "case 0", expected)
   call mistake(error, model // "decomp3d 4", "case 0", expected // "'4'")
   call mistake(error, model // "decomp3d 2 2", "case 0", expected // "'2 2'")
   call mistake(error, model // "decomp3d 2 2 1 1", "case 0", expected // "'2 2 1 1'")
   call mistake(error, model // "decomp3d 2 1.5 1", "case 0", expected // "'2 1.5 1'")
   call mistake(error, model // "decomp3d 2 two 1", "case 0", expected // "'2 two 1'")
   call mistake(error, model // "decomp3d 0 1 1", "case 0", expected // "'0 1 1'")
   call mistake(error, model // "decomp3d 1 1 -2", "case 0", expected // "'1 1 -2'")
   call mistake(error, model // "decomp3d 1 4294967297 1", "case 0", expected // "'1 4294967297 1'")
   call mistake(error, model // "halo narrow", "case 0", "keywords, line 2|'halo'|auto|wide|exchange|'narrow'")
   call mistake(error, model // "halo", "case 0", "line 2|'halo'|nothing")
end subroutine test_settings_ranks


!> Settings from files
subroutine read_files(line, settings, error)
   character(len=*), intent(in) :: line
   type(settings_type), intent(out) :: settings
   type(error_type), allocatable, intent(out) :: error
   type(arguments_type) :: arguments
   type(string_type), allocatable :: words(:)

   call split(line, words)
   call parse_arguments(arguments, words, error)
   if (.not. allocated(error)) call read_settings(settings, arguments, error)
end subroutine read_files


subroutine mistake(error, keywords, words, parts)
   type(error_type), allocatable, intent(inout) :: error
   character(len=*), intent(in) :: keywords, words, parts
   type(error_type), allocatable :: raised
   type(settings_type) :: settings

   call settings_of(settings, keywords, words, raised)
   call expect_error(error, raised, parts)
end subroutine mistake


elemental function near(a, b)
   real(dp), intent(in) :: a, b
   logical :: near

   near = abs(a - b) <= 1.0e-12_dp*abs(b)
end function near

end module test_settings
